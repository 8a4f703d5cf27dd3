using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using NJsonSchema;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Remembering;
using Wunderproxy.IntegrationTests.StatusPage;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>Holds the description of the admin API against the API; with <c>UPDATE_DOCUMENTATION=1</c> its schemas are written anew instead.</summary>
public sealed class OpenApiTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonObject Description = JsonNode.Parse(File.ReadAllText(DescriptionFile()))!.AsObject();

    private readonly FakeOperations _operations = new() { Status = SampleStatus.Eventful, Explanation = SampleStatus.Explanation, History = SampleStatus.History };
    private AdminApi _api = null!;
    private HttpClient _client = null!;

    public static TheoryData<string> Gets => new(Calls("get").Where(path => path is not "/events"));

    public async ValueTask InitializeAsync()
    {
        _api = await AdminApi.StartAsync(new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))) { Further = MapFurther }, _operations, Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, default);
        _client = new HttpClient { BaseAddress = new Uri(_api.BoundAddress) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public void Every_call_is_described_and_nothing_else()
    {
        var routes = new ListedRoutes();
        AdminApi.Map(routes, _operations, new CallerCheck(null), TimeProvider.System, default);
        MapFurther(routes);

        // HEAD is answered wherever GET is, and isn't named.
        var mapped = routes.All.SelectMany(route => MethodsOf(route).Where(method => method != "HEAD").Select(method => $"{method} {route.RoutePattern.RawText}"));
        var described = Description["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(call => $"{call.Key.ToUpperInvariant()} {path.Key}"));
        Assert.Equal(mapped.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schemas_are_those_of_the_contracts()
    {
        var schemas = ApiSchemas.FromContracts();
        if (Environment.GetEnvironmentVariable("UPDATE_DOCUMENTATION") == "1")
        {
            var updated = Description.DeepClone();
            updated["components"]!["schemas"] = schemas;
            File.WriteAllText(DescriptionFile(), updated.ToJsonString(Written) + "\n");
            return;
        }

        Assert.Equal(schemas.ToJsonString(Written), Description["components"]!["schemas"]!.ToJsonString(Written));
    }

    [Theory]
    [MemberData(nameof(Gets))]
    public async Task Real_answer_of_each_call_that_asks_is_what_is_described(string path)
    {
        using var answer = await _client.GetAsync(path.Replace("{id}", FakeOperations.Running.Id, StringComparison.Ordinal).Replace("{file}", "page.css", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await AssertDescribedAsync("get", path, answer);
    }

    [Theory]
    [InlineData("/launch", """{"Hash":"aaaa"}""")]
    [InlineData("/switch", """{"Hash":"aaaa"}""")]
    [InlineData("/canary", """{"Percent":10}""")]
    [InlineData("/retry", "")]
    [InlineData("/abort", "")]
    [InlineData("/drain", """{"Extend":"5m"}""")]
    [InlineData("/maintenance/up", "")]
    [InlineData("/maintenance/down", "")]
    [InlineData("/pause", "")]
    [InlineData("/resume", "")]
    [InlineData("/drain-host", "")]
    [InlineData("/undrain-host", "")]
    public async Task Real_answer_of_each_call_that_changes_something_is_what_is_described(string path, string body)
    {
        if (body.Length > 0)
        {
            var (schema, _) = SchemaOf(Description["paths"]![path]!["post"]!["requestBody"]!, "application/json");
            Assert.Empty((await ApiSchemas.ValidatorAsync(Description.DeepClone().AsObject(), schema!)).Validate(body));
        }

        _operations.Drained = new DrainOutcome.Done([.. SampleStatus.Eventful.Releases.Select(r => r.Traffic!).Where(t => t is not null)]);
        using var ended = await PostAsync(path + "?wait=false", body);
        Assert.True(ended.IsSuccessStatusCode);
        await AssertDescribedAsync("post", path, ended);

        _operations.Error = new InvalidOperationException();
        using var failed = await PostAsync(path + "?wait=false", body);
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        await AssertDescribedAsync("post", path, failed);
    }

    private static void MapFurther(IEndpointRouteBuilder routes)
    {
        new TrafficCalls(new ToldTraffic(_ => SampleTraffic.Hour)).Map(routes);
        new MetricsCalls(_ => Task.FromResult<IReadOnlyList<MetricFamily>>([])).Map(routes);
    }

    [Fact]
    public void Every_call_that_changes_something_is_tried() => Assert.Equal(
        Calls("post").Order(StringComparer.Ordinal),
        typeof(OpenApiTests).GetMethod(nameof(Real_answer_of_each_call_that_changes_something_is_what_is_described))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Select(data => (string)((InlineDataAttribute)data).Data[0]!).Order(StringComparer.Ordinal));

    private static IEnumerable<string> Calls(string method) => Description["paths"]!.AsObject().Where(path => path.Value![method] is not null).Select(path => path.Key);

    private static IReadOnlyList<string> MethodsOf(RouteEndpoint route) => route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods;

    private static async Task AssertDescribedAsync(string method, string path, HttpResponseMessage answer)
    {
        var responses = Description["paths"]![path]![method]!["responses"]!;
        var response = Resolved(responses[((int)answer.StatusCode).ToString()] ?? responses["default"]!);
        var (schema, mediaType) = SchemaOf(response, answer.Content.Headers.ContentType!.MediaType!);
        Assert.True(schema is not null, $"{mediaType} is a described form of the answer of {path}");
        if (mediaType.EndsWith("json", StringComparison.Ordinal))
        {
            var errors = (await ApiSchemas.ValidatorAsync(Description.DeepClone().AsObject(), schema)).Validate(await answer.Content.ReadAsStringAsync());
            Assert.Empty(errors);
        }
    }

    private static JsonNode Resolved(JsonNode response) => (string?)response["$ref"] is { } reference ? Description["components"]!["responses"]![reference.Split('/')[^1]]! : response;

    private static (JsonNode? Schema, string MediaType) SchemaOf(JsonNode holder, string mediaType) => (holder["content"]![mediaType]?["schema"], mediaType);

    private static string DescriptionFile([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(path, "../../../Controller/Api/openapi.json"));

    private Task<HttpResponseMessage> PostAsync(string path, string body) => _client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path)
    {
        Content = new StringContent(body, Encoding.UTF8, "application/json"),
        Headers = { Accept = { MediaTypeWithQualityHeaderValue.Parse("application/json") } },
    });
}
