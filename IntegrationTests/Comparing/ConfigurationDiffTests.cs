using System.Text;
using Wunderproxy.Controller.Comparing;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.IntegrationTests.Comparing;

public sealed class ConfigurationDiffTests
{
    [Fact]
    public void Value_that_is_new_gone_or_changed_is_named_by_its_path()
    {
        var differences = Between(
            """{ "Revision": "v1", "HostConfig": { "Memory": 1, "CpuShares": 2 } }""",
            """{ "Revision": "v2", "HostConfig": { "CpuShares": 2 }, "Drain": { "Timeout": "5s" } }""");

        Assert.Equal(
            [new("Revision", "\"v1\"", "\"v2\""), new("Drain.Timeout", null, "\"5s\""), new("HostConfig.Memory", "1", null)],
            differences.OrderBy(difference => difference.Before is null ? 1 : difference.After is null ? 2 : 0));
    }

    [Fact]
    public void Environment_is_compared_by_name_and_its_values_are_never_shown()
    {
        var differences = Between(
            """{ "ContainerConfig": { "Env": ["A=1", "KEY=secret-one", "GONE=secret-two"] } }""",
            """{ "ContainerConfig": { "Env": ["KEY=secret-three", "A=1", "NEW=secret-four"] } }""");

        Assert.Equal(
            [
                new("ContainerConfig.Env.KEY", ConfigurationDiff.Hidden, ConfigurationDiff.Hidden),
                new("ContainerConfig.Env.NEW", null, ConfigurationDiff.Hidden),
                new("ContainerConfig.Env.GONE", ConfigurationDiff.Hidden, null),
            ],
            differences);
        Assert.DoesNotContain("secret", TextOf(differences), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "ContainerConfig": { "Env": null } }""", """{ "containerconfig": { "env": ["KEY=secret"] } }""")]
    [InlineData("""{ "HealthCheck": { "Headers": { "Authorization": "secret" } } }""", """{ "HealthCheck": { "Headers": { "Authorization": "secret2" } } }""")]
    [InlineData("""{ "HostConfig": { "LogConfig": { "Config": { "splunk-token": "secret" } } } }""", """{ "HostConfig": { "LogConfig": { "Config": { "splunk-token": "secret2" } } } }""")]
    [InlineData("""{ "ContainerConfig": { "Env": "secret" } }""", """{ "ContainerConfig": { "Env": 1 } }""")]
    public void Value_that_may_be_secret_is_hidden_wherever_it_is(string before, string after)
    {
        var differences = Between(before, after);

        Assert.NotEmpty(differences);
        Assert.DoesNotContain("secret", TextOf(differences), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Revision": "v1", "Port": 80 }""", """{ "port": 80, "revision": "v1" }""")]
    [InlineData("""{ "HostConfig": { "Memory": 1000 } }""", """{ "HostConfig": { "Memory": 1e3 } }""")]
    [InlineData("""{ "HostConfig": null }""", """{ "HostConfig": {} }""")]
    public void Order_case_and_spelling_of_the_same_make_no_difference(string before, string after) => Assert.Empty(Between(before, after));

    [Fact]
    public void Case_of_a_label_is_part_of_its_name() =>
        Assert.Equal(2, Between("""{ "ContainerConfig": { "Labels": { "a": "1" } } }""", """{ "ContainerConfig": { "Labels": { "A": "1" } } }""").Count);

    [Fact]
    public void List_is_one_value() => Assert.Equal(
        [new("ContainerConfig.Cmd", """["run","a"]""", """["run","b"]""")],
        Between("""{ "ContainerConfig": { "Cmd": ["run", "a"] } }""", """{ "ContainerConfig": { "Cmd": ["run", "b"] } }"""));

    [Fact]
    public void All_of_the_first_configuration_is_new() =>
        Assert.Equal([new("Revision", null, "\"v1\"")], ConfigurationDiff.Between(null, Encoding.UTF8.GetBytes("""{ "Revision": "v1" }""")));

    [Fact]
    public void Long_value_is_cut() =>
        Assert.EndsWith("…", Assert.Single(Between("{}", $$"""{ "Revision": "{{new string('a', 500)}}" }""")).After, StringComparison.Ordinal);

    [Fact]
    public void Differences_are_told_with_a_sign_each() => Assert.Equal(
        """
          ~  Revision                 "v1" -> "v2"
          +  Port                     80
          -  HostConfig.Memory        1
          ~  ContainerConfig.Env.KEY  (hidden) -> another value

        """.ReplaceLineEndings("\n"),
        TextOf([new("Revision", "\"v1\"", "\"v2\""), new("Port", null, "80"), new("HostConfig.Memory", "1", null), new("ContainerConfig.Env.KEY", ConfigurationDiff.Hidden, ConfigurationDiff.Hidden)]));

    private static IReadOnlyList<Difference> Between(string before, string after) => ConfigurationDiff.Between(Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after));

    private static string TextOf(IReadOnlyList<Difference> differences) => string.Concat(DiffText.Of(differences).Select(line => line.Text + "\n"));
}
