using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using NJsonSchema;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class LaunchConfigurationSchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(LaunchConfigurationSchema.Text)!.AsObject();

    private static readonly Task<JsonSchema> Validator = JsonSchema.FromJsonAsync(LaunchConfigurationSchema.Text);

    public static TheoryData<Type> Records =>
        new([typeof(LaunchConfiguration), typeof(HealthCheckSpec), typeof(DrainSpec), typeof(HoldSpec), typeof(StopSpec), typeof(ProbationSpec), typeof(Routing), typeof(Redirect), typeof(Limits), typeof(TlsSettings), typeof(Hsts), typeof(Buffering), typeof(Compression), typeof(Preview), typeof(CanarySpec), typeof(ArtifactSpec)]);

    [Theory]
    [MemberData(nameof(Records))]
    public void Schema_has_every_property_of_the_type_and_no_other(Type type) => Assert.Equal(
        PropertiesOf(type).Select(p => p.Name).Order(StringComparer.Ordinal),
        SchemaOf(type)["properties"]!.AsObject().Select(p => p.Key).Where(name => name != "$schema").Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_property_has_the_type_and_nullability_of_its_c_sharp_property(Type type) => Assert.All(PropertiesOf(type), property =>
    {
        var written = SchemaOf(type)["properties"]![property.Name]!["type"]!;
        string[] types = written is JsonArray several ? [.. several.Select(t => (string)t!)] : [(string)written!];
        Assert.Equal(IsNullable(property) ? [.. JsonTypesOf(property), "null"] : JsonTypesOf(property), types);
    });

    [Theory]
    [MemberData(nameof(Records))]
    public void Required_are_exactly_the_required_properties_and_nothing_else_is_allowed(Type type)
    {
        var required = SchemaOf(type)["required"]?.AsArray().Select(n => (string)n!) ?? [];
        Assert.Equal(PropertiesOf(type).Where(p => p.IsDefined(typeof(RequiredMemberAttribute))).Select(p => p.Name), required);
        Assert.False((bool)SchemaOf(type)["additionalProperties"]!);
    }

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_default_is_the_one_of_the_type_and_every_property_is_described(Type type)
    {
        var defaults = Activator.CreateInstance(type);
        Assert.All(PropertiesOf(type), property =>
        {
            var schema = SchemaOf(type)["properties"]![property.Name]!.AsObject();
            Assert.EndsWith(".", (string?)schema["description"], StringComparison.Ordinal);
            Assert.Equal(DefaultOf(property.GetValue(defaults)), schema["default"]?.ToString());
        });
    }

    [Theory]
    [MemberData(nameof(LaunchConfigurationSamples.Right), MemberType = typeof(LaunchConfigurationSamples))]
    public async Task Reader_and_schema_both_take_what_is_right(string json)
    {
        Assert.Equal("", Read(json).Describe());
        Assert.Empty(await ViolationsAsync(json));
    }

    [Theory]
    [MemberData(nameof(LaunchConfigurationSamples.Wrong), MemberType = typeof(LaunchConfigurationSamples))]
    public async Task Reader_and_schema_both_refuse_what_is_wrong(string json, string path)
    {
        Assert.Equal(path, Assert.Single(Read(json).Errors).Path);
        Assert.NotEmpty(await ViolationsAsync(json));
    }

    [Theory]
    [MemberData(nameof(LaunchConfigurationSamples.WrongForTheReaderOnly), MemberType = typeof(LaunchConfigurationSamples))]
    public async Task Only_what_a_schema_cannot_say_is_left_to_the_reader(string json, string path)
    {
        Assert.Equal(path, Assert.Single(Read(json).Errors).Path);
        Assert.Empty(await ViolationsAsync(json));
    }

    [Fact]
    public async Task What_is_written_satisfies_the_schema()
    {
        var written = JsonSerializer.Serialize(Read("""{ "Revision": "a", "ContainerConfig": {}, "Artifact": { "Key": "b" } }""").Configuration!, ContractsJson.Default.LaunchConfiguration);
        Assert.Empty(await ViolationsAsync(written));
    }

    [Fact]
    public void Schema_needs_no_other_document() => Assert.DoesNotContain("\"$ref\"", LaunchConfigurationSchema.Text, StringComparison.Ordinal);

    private static async Task<ICollection<NJsonSchema.Validation.ValidationError>> ViolationsAsync(string json) =>
        (await Validator).Validate(json);

    private static LaunchConfigurationResult Read(string json) => LaunchConfigurationReader.Read(Encoding.UTF8.GetBytes(json));

    private static JsonObject SchemaOf(Type type) => SchemaWithin(typeof(LaunchConfiguration), Schema, type)!;

    private static JsonObject? SchemaWithin(Type outer, JsonObject schema, Type type) => outer == type
        ? schema
        : PropertiesOf(outer).Where(p => p.PropertyType.Assembly == typeof(LaunchConfiguration).Assembly && p.PropertyType.IsClass)
            .Select(p => SchemaWithin(p.PropertyType, schema["properties"]![p.Name]!.AsObject(), type)).FirstOrDefault(found => found is not null);

    private static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => !p.IsDefined(typeof(JsonIgnoreAttribute)));

    private static bool IsNullable(PropertyInfo property) => new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;

    /// <summary>Sizes may be written in two ways.</summary>
    private static string[] JsonTypesOf(PropertyInfo property) =>
        (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(long) ? ["integer", "string"] : [JsonTypeOf(property)];

    private static string JsonTypeOf(PropertyInfo property) => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) switch
    {
        var type when type == typeof(string) || type == typeof(TimeSpan) || type == typeof(double) || type.IsEnum => "string",
        var type when type == typeof(int) => "integer",
        var type when type == typeof(bool) => "boolean",
        var type when type == typeof(IReadOnlyList<string>) => "array",
        _ => "object",
    };

    /// <summary>The default as the schema writes it; objects of the configuration have none of their own.</summary>
    private static string? DefaultOf(object? value) => value switch
    {
        string or int => value.ToString(),
        Enum => (string?)JsonSerializer.SerializeToNode(value, value.GetType(), ContractsJson.Default),
        bool flag => flag ? "true" : "false",
        TimeSpan duration => Duration.Format(duration),
        long size => ByteSize.Format(size),
        IReadOnlyDictionary<string, string> { Count: 0 } => "{}",
        _ => null,
    };
}
