using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using NJsonSchema;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>The schemas of what crosses the admin API, made from the contracts themselves.</summary>
internal static class ApiSchemas
{
    private const string Reference = "#/components/schemas/";

    private static readonly Type[] Roots =
    [
        typeof(StatusDocument), typeof(PlanExplanation), typeof(HostEvent), typeof(HistoryStatus), typeof(CallerStatus), typeof(DeploymentStatus),
        typeof(ReleaseOrder), typeof(AbortStatus), typeof(CanaryOrder), typeof(CanaryStatus), typeof(TrafficDocument), typeof(DrainOrder), typeof(DrainStatus), typeof(MaintenanceStatus), typeof(PauseStatus), typeof(HostDrainStatus), typeof(ApiProblem),
    ];

    /// <summary>By name, as they stand in the description of the API.</summary>
    public static JsonObject FromContracts()
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var waiting = new Queue<Type>(Roots);
        while (waiting.TryDequeue(out var type))
        {
            if (!schemas.ContainsKey(type.Name))
            {
                schemas[type.Name] = ContractsJson.Default.Options.GetJsonSchemaAsNode(type, new JsonSchemaExporterOptions
                {
                    TreatNullObliviousAsNonNullable = true,
                    TransformSchemaNode = (context, schema) => Transformed(context, schema, waiting),
                });
            }
        }

        return new JsonObject(schemas.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value.DeepClone())));
    }

    /// <summary>What checks an answer by one of the schemas of a description; members that the schema doesn't name are errors.</summary>
    public static Task<JsonSchema> ValidatorAsync(JsonObject description, JsonNode schema)
    {
        var definitions = description["components"]!["schemas"]!.AsObject();
        foreach (var (_, definition) in definitions.Where(d => (string?)d.Value!["type"] is "object"))
        {
            definition!["additionalProperties"] ??= false;
        }

        var document = new JsonObject { ["allOf"] = new JsonArray(schema.DeepClone()), ["definitions"] = definitions.DeepClone() };
        return JsonSchema.FromJsonAsync(document.ToJsonString().Replace(Reference, "#/definitions/", StringComparison.Ordinal));
    }

    private static JsonNode Transformed(JsonSchemaExporterContext context, JsonNode schema, Queue<Type> waiting)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (!context.Path.IsEmpty && type.Assembly == typeof(StatusDocument).Assembly)
        {
            waiting.Enqueue(type);
            return new JsonObject { ["$ref"] = Reference + type.Name };
        }

        if (type == typeof(TimeSpan))
        {
            return new JsonObject { ["type"] = "string", ["description"] = "A number with its unit: ms, s, m or h." };
        }

        if (type.IsEnum)
        {
            var names = Enum.GetValues(type).Cast<object>().Select(value => JsonSerializer.SerializeToNode(value, context.TypeInfo.Options.GetTypeInfo(type)));
            return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. names]) };
        }

        return schema is JsonObject described ? Described(Loosened(described, context.TypeInfo), type) : schema;
    }

    /// <summary>Says of each member what its documentation says. A reference has the words of its type, unless others are beside it.</summary>
    private static JsonObject Described(JsonObject schema, Type type)
    {
        foreach (var (name, member) in schema["properties"]?.AsObject() ?? [])
        {
            if (member is JsonObject described && type.GetProperties().FirstOrDefault(p => NameOf(p) == name) is { } property && MemberDocumentation.Of(property) is { } words)
            {
                described["description"] = words;
            }
        }

        return schema;
    }

    private static string NameOf(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name;

    /// <summary>Lets members be added, and be absent where they may be null.</summary>
    private static JsonObject Loosened(JsonObject schema, JsonTypeInfo type)
    {
        schema.Remove("additionalProperties");
        if (type.Kind == JsonTypeInfoKind.Dictionary)
        {
            schema["additionalProperties"] = type.Options.GetJsonSchemaAsNode(type.Type.GetGenericArguments()[^1]);
        }

        if (schema["required"] is JsonArray required)
        {
            var always = required.Select(name => (string)name!).Where(name => !IsNullable(schema["properties"]![name]!)).ToList();
            schema["required"] = new JsonArray([.. always.Select(name => JsonValue.Create(name))]);
        }

        return schema;
    }

    private static bool IsNullable(JsonNode schema) => schema["type"] is JsonArray types && types.Any(type => (string)type! == "null");
}
