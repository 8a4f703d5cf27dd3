using Wunderproxy.Controller.Containers;

namespace Wunderproxy.IntegrationTests.Containers;

public sealed class EnvironmentFileTests
{
    [Fact]
    public void Lines_are_read_and_comments_blank_lines_and_outer_space_are_not()
    {
        var file = EnvironmentFile.Parse("# the database\r\n\r\n  DATABASE_URL = postgres://db/shop?a=b \n\t# more\nEMPTY=\nSPACED= a b \n");

        Assert.Empty(file.Errors);
        Assert.Equal(new Dictionary<string, string> { ["DATABASE_URL"] = "postgres://db/shop?a=b", ["EMPTY"] = "", ["SPACED"] = "a b" }, file.Variables);
    }

    [Fact]
    public void Every_bad_line_is_an_error_with_its_number_and_without_its_content()
    {
        var file = EnvironmentFile.Parse("GOOD=1\nsecret-1\n=secret-2\nMY KEY=secret-3\nGOOD=secret-4\nNUL=secret-5\0\n");

        Assert.Equal(["Line 2 ", "Line 3 ", "Line 4 ", "Line 5 ", "Line 6 "], file.Errors.Select(e => e[..7]));
        Assert.Contains("line 1", file.Errors[3], StringComparison.Ordinal);
        Assert.DoesNotContain(file.Errors, e => e.Contains("secret", StringComparison.Ordinal) || e.Contains("KEY", StringComparison.Ordinal));
    }

    [Fact]
    public void Names_that_differ_in_case_are_two_variables() => Assert.Equal(2, EnvironmentFile.Parse("a=1\nA=2").Variables.Count);

    [Fact]
    public void Empty_file_sets_nothing() => Assert.Empty(EnvironmentFile.Parse("\uFEFF").Variables);
}
