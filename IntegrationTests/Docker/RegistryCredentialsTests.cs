using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public sealed class RegistryCredentialsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-docker-config");
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");

    [Theory]
    [InlineData("""{"auths":{"localhost:8080":{"auth":"Y2k6czpj"}}}""", "localhost:8080")]
    [InlineData("""{"auths":{"https://localhost:8080":{"auth":"Y2k6czpj"}}}""", "localhost:8080")]
    [InlineData("""{"auths":{"https://index.docker.io/v1/":{"auth":"Y2k6czpj"}}}""", "docker.io")]
    public async Task User_and_password_are_read_from_the_file(string config, string registry) =>
        Assert.Equal(new RegistryCredential("ci", "s:c", null), await FindAsync(config, registry));

    [Fact]
    public async Task Identity_token_goes_before_a_password() =>
        Assert.Equal(new RegistryCredential(null, null, "t0k"), await FindAsync("""{"auths":{"r.example":{"auth":"Y2k6","identitytoken":"t0k"}}}""", "r.example"));

    [Theory]
    [InlineData("""{"auths":{"r.example":{"auth":"Y2k6czpj"}}}""")]
    [InlineData("""{"auths":{"other.example":{"auth":"%%%"}}}""")]
    [InlineData("""{"auths":{"other.example":{}}}""")]
    [InlineData("""{}""")]
    [InlineData("""not JSON""")]
    public async Task Without_an_entry_there_is_no_credential(string config) =>
        Assert.Null(await FindAsync(config, "other.example"));

    [Fact]
    public async Task Without_the_file_there_is_no_credential() =>
        Assert.Null(await Credentials().FindAsync("r.example", TestContext.Current.CancellationToken));

    [Fact]
    public async Task Helper_of_the_registry_is_asked_before_the_store_and_gets_the_registry_on_stdin()
    {
        Helper("one", """read registry; printf '{"ServerURL":"%s","Username":"ci","Secret":"for %s"}' "$registry" "$registry" """);
        Helper("two", "exit 9");

        Assert.Equal(
            new RegistryCredential("ci", "for r.example", null),
            await FindAsync("""{"credHelpers":{"r.example":"one"},"credsStore":"two"}""", "r.example"));
    }

    [Fact]
    public async Task Token_of_a_helper_is_told_by_its_user_name()
    {
        Helper("one", """echo '{"Username":"<token>","Secret":"t0k"}'""");
        Assert.Equal(new RegistryCredential(null, null, "t0k"), await FindAsync("""{"credsStore":"one"}""", "r.example"));
    }

    [Theory]
    [InlineData("echo 'credentials not found in native keychain'; exit 1")]
    [InlineData("echo nonsense")]
    [InlineData("exit 0")]
    public async Task File_counts_where_the_helper_has_nothing(string script)
    {
        Helper("one", script);
        Assert.Equal(
            new RegistryCredential("ci", "s:c", null),
            await FindAsync("""{"credsStore":"one","auths":{"r.example":{"auth":"Y2k6czpj"}}}""", "r.example"));
    }

    [Fact]
    public async Task Helper_that_is_not_installed_is_no_obstacle() =>
        Assert.Null(await FindAsync("""{"credsStore":"wp-not-installed"}""", "r.example"));

    [Fact]
    public void Credential_shows_nothing_of_itself() =>
        Assert.Equal("RegistryCredential", $"{new RegistryCredential("ci", "hunter2", null)}");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        _directory.Delete(recursive: true);
    }

    private RegistryCredentials Credentials() => new(_directory.FullName, TimeProvider.System, NullLogger.Instance);

    private async Task<RegistryCredential?> FindAsync(string config, string registry)
    {
        await File.WriteAllLinesAsync(Path.Combine(_directory.FullName, "config.json"), [config]);
        return await Credentials().FindAsync(registry, TestContext.Current.CancellationToken);
    }

    private void Helper(string name, string script)
    {
        var file = Path.Combine(_directory.FullName, "docker-credential-" + name);
        File.WriteAllLines(file, ["#!/bin/sh", script]);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("PATH", $"{_directory.FullName}:{_path}");
    }
}
