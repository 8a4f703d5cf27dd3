using System.Security.Cryptography;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Cli;

namespace Wunderproxy.IntegrationTests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private const string Configuration = """{ "Revision": "2f1c9e0", "ContainerConfig": { "Image": "localhost:8080/shop:2f1c9e0" } }""" + "\n";

    private readonly CommandRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("run a", "PREFIX")]
    [InlineData("rnu", "Did you mean run?")]
    [InlineData("run deployments shop shop --pol 5s", "Did you mean --poll?")]
    [InlineData("run deployments shop shop --poll", "--poll")]
    [InlineData("run deployments shop shop extra", "'extra'")]
    [InlineData("", "command")]
    public async Task Command_line_that_cannot_be_understood_is_answered_with_what_was_meant(string arguments, string said)
    {
        Assert.Equal(ExitCode.Usage, await _run.Async(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

        Assert.Contains(said, _run.Errors, StringComparison.Ordinal);
        Assert.Contains("--help", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_of_run_names_every_setting_with_default_and_variable_and_shows_examples()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("run", "--help"));

        Assert.All([.. RunOptions.All, RunOptions.Settings], setting =>
        {
            Assert.Contains(setting.Option + " ", _run.Output, StringComparison.Ordinal);
            Assert.Contains(setting.Variable, _run.Output, StringComparison.Ordinal);
        });
        Assert.Contains("wunderproxy run ./store shop shop", _run.Output, StringComparison.Ordinal);
        Assert.Contains("172.30.0.0/16", _run.Output, StringComparison.Ordinal);
        Assert.Contains("82 another Controller runs", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_is_printed()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("--version"));

        Assert.NotEmpty(_run.Output.Trim());
    }

    [Fact]
    public async Task Bad_settings_are_all_named_before_anything_happens()
    {
        Assert.Equal(ExitCode.Usage, await _run.Async("run", "deployments", "shop", "shop", "--poll", "soon", "--api", "here"));

        Assert.Contains("--poll 'soon'", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("--api 'here'", _run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--s3-path-style")]
    [InlineData("--s3-path-style=false")]
    [InlineData("--s3-path-style", "true")]
    public async Task Switch_leaves_the_argument_behind_it_alone(params string[] option)
    {
        Assert.Equal(ExitCode.Ok, await _run.Async(["publish", .. option, _run.Write("shop.json", Configuration), _run.At("store"), "shop"]));
    }

    [Fact]
    public async Task Hash_is_that_of_the_exact_bytes()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("hash", _run.Write("shop.json", Configuration)));

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Configuration))), _run.Output.Trim());
    }

    [Fact]
    public async Task Valid_configuration_is_ok_with_its_hash()
    {
        var file = _run.Write("shop.json", Configuration);

        Assert.Equal(ExitCode.Ok, await _run.Async("validate", file));

        Assert.Equal($"{file}: ok {HashOf(Configuration)}", _run.Output.Trim());
    }

    [Fact]
    public async Task Every_error_of_a_configuration_is_shown_with_line_and_column()
    {
        var file = _run.Write("shop.json", "{\n  \"Revison\": \"1\",\n  \"ContainerConfig\": { \"Image\": \"shop\" },\n  \"Port\": 0\n}\n");

        Assert.Equal(ExitCode.InvalidDocument, await _run.Async("validate", file));

        Assert.Contains($"{file}:2:", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("$.Revison", _run.Errors, StringComparison.Ordinal);
        Assert.Contains($"{file}:4:", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("$.Port", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schema_is_printed_as_json()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("validate", "--schema"));

        using var schema = JsonDocument.Parse(_run.Output);
        Assert.True(schema.RootElement.TryGetProperty("$schema", out _));
    }

    [Theory]
    [InlineData("validate")]
    [InlineData("hash")]
    public async Task File_that_does_not_exist_is_named(string command)
    {
        Assert.Equal(ExitCode.NotFound, await _run.Async(command, "/nonexistent/shop.json"));

        Assert.Contains("FILE '/nonexistent/shop.json' doesn't exist", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Published_configuration_is_stored_under_its_hash_byte_for_byte_and_nothing_else_is()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("publish", _run.Write("shop.json", Configuration), _run.At("store"), "shop"));

        var hash = HashOf(Configuration);
        Assert.Equal(hash, _run.Output.Trim());
        Assert.Equal(Configuration, await File.ReadAllTextAsync(_run.At($"store/shop/container.{hash}.json")));
        Assert.False(File.Exists(_run.At("store/shop/current.json")));
    }

    [Fact]
    public async Task Current_configuration_is_whole_in_current_json_and_noted_in_the_history()
    {
        var next = Configuration.Replace("2f1c9e0", "5e6f7a8", StringComparison.Ordinal);
        await PublishCurrentAsync(Configuration);
        await PublishCurrentAsync(next);
        await PublishCurrentAsync(next);

        Assert.Equal(next, await File.ReadAllTextAsync(_run.At("store/shop/current.json")));
        var history = History.Read(await File.ReadAllBytesAsync(_run.At("store/shop/history.json"))).Entries;
        Assert.Equal(["2f1c9e0", "5e6f7a8", "5e6f7a8"], history.Select(entry => entry.Revision));
        Assert.Equal(HashOf(next), history[^1].Hash);
    }

    [Fact]
    public async Task Invalid_configuration_is_not_published()
    {
        Assert.Equal(ExitCode.InvalidDocument, await _run.Async("publish", _run.Write("shop.json", "{}"), _run.At("store"), "shop"));

        Assert.False(Directory.Exists(_run.At("store")));
    }

    [Fact]
    public async Task Tampered_document_under_the_same_hash_is_refused()
    {
        Directory.CreateDirectory(_run.At("store/shop"));
        _run.Write($"store/shop/container.{HashOf(Configuration)}.json", "{}");

        Assert.Equal(ExitCode.Refused, await _run.Async("publish", _run.Write("shop.json", Configuration), _run.At("store"), "shop"));

        Assert.Contains("another content than its hash", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_that_cannot_be_read_is_left_and_current_json_too()
    {
        Directory.CreateDirectory(_run.At("store/shop"));
        _run.Write("store/shop/history.json", "no history");

        Assert.Equal(ExitCode.Refused, await _run.Async("publish", _run.Write("shop.json", Configuration), _run.At("store"), "shop", "--current"));

        Assert.Equal("no history", await File.ReadAllTextAsync(_run.At("store/shop/history.json")));
        Assert.False(File.Exists(_run.At("store/shop/current.json")));
    }

    private static string HashOf(string text) => ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(text));

    private async Task PublishCurrentAsync(string configuration) =>
        Assert.Equal(ExitCode.Ok, await _run.Async("publish", _run.Write("shop.json", configuration), _run.At("store"), "shop", "--current"));
}
