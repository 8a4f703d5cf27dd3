using System.CommandLine;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy completion SHELL</c>: what a shell has to run so that the tabulator completes commands and options.</summary>
/// <remarks>The scripts ask the program itself, by the directive <c>[suggest]</c> of System.CommandLine, so they know every option there is.</remarks>
internal static class CompletionCommand
{
    private const string Examples = """
        Examples:
          wunderproxy completion bash > /etc/bash_completion.d/wunderproxy
          wunderproxy completion zsh > /usr/local/share/zsh/site-functions/_wunderproxy
          wunderproxy completion fish > ~/.config/fish/completions/wunderproxy.fish
        """;

    // Where nothing fits, files are offered: most commands take one.
    private const string Bash = """
        _wunderproxy() {
          local current=${COMP_WORDS[COMP_CWORD]}
          mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$current")
        }
        complete -o default -F _wunderproxy wunderproxy

        """;

    private const string Zsh = """
        #compdef wunderproxy
        _wunderproxy() {
          local -a found
          found=("${(@f)$(wunderproxy "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
          compadd -a found
          _files
        }
        compdef _wunderproxy wunderproxy

        """;

    private const string Fish = """
        complete -c wunderproxy -a '(set -l line (commandline -cp); wunderproxy "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'

        """;

    public static Command Define(CommandContext context)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new ExplainedCommand("completion", "Prints what makes a shell complete commands and options.", Examples) { shell };
        command.SetAction(parsed =>
        {
            context.Output.Write(parsed.GetRequiredValue(shell) switch
            {
                "zsh" => Zsh,
                "fish" => Fish,
                _ => Bash,
            });
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
