using System.Text.Json;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary>Tells how a deployment goes: lines for people, or JSON lines.</summary>
/// <param name="isJson">Whether programs read it.</param>
/// <param name="namesHosts">Whether it is told which host a line is about: where there are several.</param>
/// <param name="context">Where it is told.</param>
internal sealed class FollowReport(bool isJson, bool namesHosts, CommandContext context)
{
    private readonly long _began = context.Time.GetTimestamp();
    private readonly LineWriter _lines = context.Lines;

    /// <summary>Something to know for people only; programs get what can be known in the news.</summary>
    public void Say(string text, Tone tone = Tone.Plain)
    {
        if (!isJson)
        {
            _lines.Write([new Line(text, tone)]);
        }
    }

    public void Tell(HostNews news)
    {
        if (isJson)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(news, JsonLines.Format.HostNews));
            context.Output.Flush();
        }
        else
        {
            _lines.Write(LinesOf(news));
        }
    }

    /// <summary>For programs: what was begun, and isn't followed.</summary>
    public void TellAccepted(string host, DeploymentStatus deployment)
    {
        if (isJson)
        {
            Tell(new HostNews { News = NewsKind.Began, Host = host, Hash = deployment.Hash, At = deployment.AcceptedAt, Message = $"deployment {deployment.Id}" });
        }
    }

    /// <summary>Shows that something is waited for, where a line can be taken back.</summary>
    public void Wait(IReadOnlyList<HostFollower> open)
    {
        if (!isJson)
        {
            _lines.Pass($"{Elapsed()}  {Origin(open[0].Host)}{open[0].Doing}{(open.Count > 1 ? $" (and {open.Count - 1} more)" : "")}", context.Width());
        }
    }

    private IEnumerable<Line> LinesOf(HostNews news) => news switch
    {
        { News: NewsKind.Began } => [Line(news, "has begun")],
        { Phase: { } phase } => [Line(news, $"{phase,-10}  {Words.Of(phase)}")],
        { News: NewsKind.Hindered } => [Line(news, $"doesn't go on yet: {news.Message}", Tone.Bad)],
        { News: NewsKind.Lost } => [Line(news, news.Message ?? "", Tone.Bad), Line(news, "it is asked again")],
        { News: NewsKind.Found } => [Line(news, "is reached again")],
        { End: { } end } =>
        [
            .. EndOf(end, (news.Message ?? "").Split('\n'), news),
            .. (news.Failure?.Log ?? []).Select(line => new Line($"            | {line}", Tone.Faint)),
        ],
        _ => [],
    };

    private IEnumerable<Line> EndOf(FollowEnd end, string[] message, HostNews news)
    {
        var isGood = end is FollowEnd.Serves or FollowEnd.StandsBy;
        return
        [
            Line(news, isGood ? message[0] : $"{end}: {message[0]}", isGood ? Tone.Good : Tone.Bad),
            .. message.Skip(1).Select(line => new Line($"            {line}")),
        ];
    }

    private Line Line(HostNews news, string text, Tone tone = Tone.Plain) => new($"{Elapsed()}  {Origin(news.Host)}{text}", tone);

    private string Origin(string host) => namesHosts ? $"{host}: " : "";

    private string Elapsed() => Words.Span(context.Time.GetElapsedTime(_began)).PadLeft(8);
}
