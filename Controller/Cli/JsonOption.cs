using System.CommandLine;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>--json</c>: whether programs read the output, which they do where it is no terminal.</summary>
internal sealed class JsonOption
{
    private readonly Option<bool> _option = new("--json") { Description = "Writes JSON, a line for each answer or event; --json=false writes text [default: where the output is no terminal]" };

    private JsonOption()
    {
    }

    public static JsonOption AddTo(Command command)
    {
        var json = new JsonOption();
        command.Add(json._option);
        return json;
    }

    public bool Read(ParseResult parsed, CommandContext context) => parsed.GetResult(_option) is { Implicit: false } ? parsed.GetValue(_option) : !context.IsTerminal;
}
