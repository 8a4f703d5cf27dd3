using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.IntegrationTests.Contracts;

/// <summary>Generated code may forget what a type itself says about a member that is absent, and then leaves it null or zero.</summary>
public sealed class JsonDefaultsTests
{
    private static readonly Assembly[] Programs = [typeof(LaunchConfiguration).Assembly, typeof(Journal).Assembly, typeof(Wunderproxy.Proxy.Hosting.ProxyOptions).Assembly];

    // LaunchConfigurationReader reads it.
    private static readonly Type OnlyWritten = typeof(LaunchConfiguration);

    public static TheoryData<Type> TypesInJson => new(Programs
        .SelectMany(program => program.GetTypes().Where(type => type.IsSubclassOf(typeof(JsonSerializerContext))))
        .SelectMany(context => context.GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
            .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!)
            .Where(type => type != OnlyWritten)
            .SelectMany(type => Reachable(ContextOf(context), type)))
        .Distinct());

    [Theory]
    [MemberData(nameof(TypesInJson))]
    public void Member_that_is_absent_has_the_value_that_the_type_itself_gives_it(Type type)
    {
        var context = ContextOf(Programs.SelectMany(p => p.GetTypes()).First(t => t.IsSubclassOf(typeof(JsonSerializerContext)) && ContextOf(t).GetTypeInfo(type) is not null));
        var info = context.GetTypeInfo(type)!;

        var read = JsonSerializer.Deserialize(Smallest(context, info).ToJsonString(), info)!;

        var made = Made(type);
        foreach (var member in info.Properties.Where(member => !IsNeeded(member) && member.Get is not null))
            Assert.True(Same(member.Get!(made), member.Get(read)), $"{type.Name}.{member.Name} is {Text(member.Get(made))} in a new one, and {Text(member.Get(read))} where it is absent.");
    }

    private static JsonSerializerContext ContextOf(Type context) =>
        (JsonSerializerContext)context.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;

    private static IEnumerable<Type> Reachable(JsonSerializerContext context, Type root)
    {
        var found = new HashSet<Type>();
        var left = new Queue<Type>([root]);
        while (left.TryDequeue(out var type))
        {
            if (context.GetTypeInfo(type) is not { } info || !found.Add(type))
                continue;
            foreach (var next in info.Properties.Select(member => Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType).Append(info.ElementType).OfType<Type>())
                left.Enqueue(next);
        }

        return found.Where(type => context.GetTypeInfo(type)!.Kind == JsonTypeInfoKind.Object);
    }

    private static bool IsNeeded(JsonPropertyInfo member) => member.IsRequired || member.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false };

    private static JsonObject Smallest(JsonSerializerContext context, JsonTypeInfo info) =>
        new(info.Properties.Where(IsNeeded).Select(member => KeyValuePair.Create(member.Name, Sample(context, member.PropertyType))));

    private static JsonNode? Sample(JsonSerializerContext context, Type type)
    {
        if (Nullable.GetUnderlyingType(type) is not null)
            return null;
        if (type == typeof(string))
            return "0123456789abcdef0123456789abcdef";
        if (type == typeof(byte[]))
            return "";
        if (type == typeof(bool))
            return false;
        if (type.IsEnum)
            return Enum.GetNames(type)[0];
        if (type == typeof(DateTimeOffset))
            return "2026-01-01T00:00:00+00:00";
        if (context.GetTypeInfo(type) is not { } info)
            return 0;
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => Smallest(context, info),
            JsonTypeInfoKind.Enumerable => new JsonArray(),
            JsonTypeInfoKind.Dictionary => new JsonObject(),
            _ => 0,
        };
    }

    // Required members stay empty; those aren't compared.
    private static object Made(Type type)
    {
        if (type.GetConstructor(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance, []) is { } empty)
            return empty.Invoke([]);
        var constructor = type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).MaxBy(c => c.GetParameters() is [var only] && only.ParameterType == type ? -1 : c.GetParameters().Length)!;
        return constructor.Invoke([.. constructor.GetParameters().Select(p => p.HasDefaultValue ? p.DefaultValue : p.ParameterType.IsValueType ? RuntimeHelpers.GetUninitializedObject(p.ParameterType) : null)]);
    }

    private static bool Same(object? left, object? right) => Equals(left, right) || Text(left) == Text(right);

    private static string Text(object? value) => value is null ? "null" : JsonSerializer.Serialize(value, value.GetType());
}
