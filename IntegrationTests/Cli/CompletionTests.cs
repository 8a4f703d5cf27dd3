using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Cli;

/// <summary>What <c>wunderproxy completion</c> prints, in the shells that it is for.</summary>
[Trait("Needs", "Lab")]
public sealed class CompletionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-completion");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("wunderproxy drain-h", "drain-host")]
    [InlineData("wunderproxy status --wat", "--watch")]
    [InlineData("wunderproxy maintenance u", "up")]
    public async Task Bash_completes_commands_and_options(string line, string completed)
    {
        var found = await RunAsync("bash", $$"""
            source <(wunderproxy completion bash)
            COMP_LINE='{{line}}'
            COMP_POINT=${#COMP_LINE}
            read -ra COMP_WORDS <<<"$COMP_LINE"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _wunderproxy
            printf '%s\n' "${COMPREPLY[@]}"
            """);

        Assert.Equal(completed, found);
    }

    [Theory]
    [InlineData("wunderproxy drain-h", "drain-host")]
    [InlineData("wunderproxy status --wat", "--watch")]
    [InlineData("wunderproxy maintenance u", "up")]
    public async Task Fish_completes_commands_and_options(string line, string completed)
    {
        var found = await RunAsync("fish", $"""
            wunderproxy completion fish | source
            complete -C '{line}'
            """);

        Assert.Contains(completed, found.Split('\n'));
    }

    // Completion is for the line that is being edited, so a terminal is needed; the widget tells what is on it.
    [Theory]
    [InlineData("wunderproxy drain-h", "wunderproxy drain-host")]
    [InlineData("wunderproxy status --wat", "wunderproxy status --watch")]
    [InlineData("wunderproxy maintenance u", "wunderproxy maintenance up")]
    public async Task Zsh_completes_commands_and_options(string line, string completed)
    {
        var edited = await RunAsync("zsh", $$"""
            zmodload zsh/zpty zsh/zselect
            zpty -b shell zsh -f -i
            zpty -w shell 'autoload -U compinit; compinit -u -D; source <(wunderproxy completion zsh)'
            zpty -w shell 'show() { print -r -- $BUFFER >edited }; zle -N show; bindkey "^X" show; print >ready'
            while [ ! -e ready ]; do zpty -r -t shell out; zselect -t 1; done
            zpty -n -w shell $'{{line}}\t\x18'
            while [ ! -s edited ]; do zpty -r -t shell out; zselect -t 1; done
            zpty -d shell
            cat edited
            """);

        Assert.Equal(completed, edited.TrimEnd());
    }

    private async Task<string> RunAsync(string shell, string script)
    {
        var file = Path.Combine(_folder.FullName, "script");
        await File.WriteAllTextAsync(file, script, TestContext.Current.CancellationToken);
        return await Command.RunAsync("env", ["-C", _folder.FullName, $"PATH={AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}", shell, file], Limit);
    }
}
