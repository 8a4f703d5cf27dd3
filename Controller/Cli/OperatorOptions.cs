using System.CommandLine;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.Controller.Cli;

/// <summary>The options of commands that speak to Controllers.</summary>
internal sealed class OperatorOptions
{
    /// <summary>Names the admin API where <c>--host</c> doesn't; <c>run</c> takes its own address from it, so on a host both are right with one variable.</summary>
    public const string ApiVariable = "WUNDERPROXY_API";

    /// <summary>Names the file of the token where <c>--token-file</c> doesn't; <c>run</c> takes its own from it.</summary>
    public static readonly string TokenVariable = RunOptions.ApiTokenFile.Variable;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);

    private readonly Option<string[]> _hosts;
    private readonly bool _hasJson;
    private JsonOption? _json;
    private readonly Option<string> _timeout;
    private readonly Option<bool>? _noWait;
    private readonly Option<string>? _tokenFile;
    private readonly bool _takesMany;

    private OperatorOptions(string timeout, string timeoutMeaning, bool waits, bool takesMany, bool hasJson = true, bool orders = false)
    {
        (_takesMany, _hasJson) = (takesMany, hasJson);
        _hosts = new Option<string[]>("--host")
        {
            HelpName = "ADDRESS",
            Description = $"{(takesMany ? "Admin APIs of the hosts, once for each" : "Admin API of the host")}: HOST, HOST:PORT or unix:/path [default: {AdminAddress.Default}] [env: {ApiVariable}]",
            Arity = ArgumentArity.OneOrMore,
        };
        _timeout = new Option<string>("--timeout") { HelpName = "DURATION", Description = timeoutMeaning, DefaultValueFactory = _ => timeout };
        _tokenFile = orders ? new Option<string>("--token-file") { HelpName = "FILE", Description = $"File of the token that the host was given as --api-token-file [env: {TokenVariable}]" } : null;
        _noWait = waits ? new Option<bool>("--no-wait") { Description = "Returns once it is accepted." } : null;
    }

    /// <summary>For a command that changes something at once.</summary>
    public static OperatorOptions AddOrderTo(Command command) => new OperatorOptions("35s", "How long the answer may take.", waits: false, takesMany: false, orders: true).Added(command);

    /// <summary>For a command that only asks.</summary>
    public static OperatorOptions AddTo(Command command, bool hasJson = true) => new OperatorOptions("5s", "How long an answer may take.", waits: false, takesMany: false, hasJson).Added(command);

    /// <summary>For a command that follows a deployment.</summary>
    public static OperatorOptions AddFollowingTo(Command command, bool takesMany = false) =>
        new OperatorOptions("15m", "How long it is followed; it goes on after that.", waits: true, takesMany, orders: !takesMany).Added(command);

    /// <summary>What they say, or <see langword="null"/> once it was said what is wrong with them.</summary>
    public OperatorSettings? Read(ParseResult parsed, CommandContext context)
    {
        var errors = new List<string>();
        var settings = new OperatorSettings(
            Hosts(parsed, context, errors),
            _json?.Read(parsed, context) ?? false,
            _noWait is null || !parsed.GetValue(_noWait),
            TimeoutOf(parsed.GetValue(_timeout) ?? "", errors))
        {
            Token = _tokenFile is null ? null : TokenIn(parsed.GetValue(_tokenFile), context, errors),
        };
        if (errors.Count == 0)
        {
            return settings;
        }

        RunCommand.Refuse(parsed.CommandResult.Command.FullName(), errors, context);
        return null;
    }

    private OperatorOptions Added(Command command)
    {
        command.Add(_hosts);
        if (_noWait is not null)
        {
            command.Add(_noWait);
        }

        command.Add(_timeout);
        if (_tokenFile is not null)
        {
            command.Add(_tokenFile);
        }

        if (_hasJson)
        {
            _json = JsonOption.AddTo(command);
        }

        return this;
    }

    private List<AdminAddress> Hosts(ParseResult parsed, CommandContext context, List<string> errors)
    {
        var given = parsed.GetValue(_hosts) is { Length: > 0 } hosts ? hosts : null;
        var origin = given is null ? ApiVariable : "--host";
        var fromVariable = context.Environment(ApiVariable) is { Length: > 0 } text ? text.Split(',') : [AdminAddress.Default];
        var addresses = new List<AdminAddress>();
        foreach (var host in (given ?? fromVariable).Distinct(StringComparer.Ordinal))
        {
            if (AdminAddress.TryParse(host, out var address, out var problem))
            {
                addresses.Add(address!);
            }
            else
            {
                errors.Add($"{origin} '{host}' {problem}");
            }
        }

        if (!_takesMany && addresses.Count > 1)
        {
            errors.Add($"{origin} names {addresses.Count} hosts, and this command asks one. Name it by --host.");
        }

        return addresses;
    }

    private static ApiToken? TokenIn(string? option, CommandContext context, List<string> errors)
    {
        var (origin, file) = option is not null ? ("--token-file", option) : (TokenVariable, context.Environment(TokenVariable));
        try
        {
            return string.IsNullOrEmpty(file) ? null : SettingParsers.TokenIn(file);
        }
        catch (SettingException e)
        {
            errors.Add($"{origin} '{file}' {e.Message}");
            return null;
        }
    }

    private static TimeSpan TimeoutOf(string text, List<string> errors)
    {
        try
        {
            return SettingParsers.Between(Shortest, Longest)(text);
        }
        catch (SettingException e)
        {
            errors.Add($"--timeout '{text}' {e.Message}");
            return default;
        }
    }
}

/// <summary>What the options of a command say that speaks to Controllers.</summary>
/// <param name="Hosts">Their admin APIs, at least one.</param>
/// <param name="IsJson">Whether programs read the output.</param>
/// <param name="Waits">Whether deployments are followed.</param>
/// <param name="Timeout">How long at most.</param>
internal sealed record OperatorSettings(IReadOnlyList<AdminAddress> Hosts, bool IsJson, bool Waits, TimeSpan Timeout)
{
    // The API itself takes up to 30 s to confirm an order.
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(35);

    /// <summary>What orders show; absent: nothing.</summary>
    public ApiToken? Token { get; init; }

    /// <summary>The one host, of a command that asks one.</summary>
    public AdminAddress Host => Hosts[0];

    /// <summary>A client whose calls may take as long as <see cref="Timeout"/> says.</summary>
    public AdminApiClient Ask(CommandContext context) => new(Host, Timeout, context.Time);

    /// <summary>A client for orders.</summary>
    public AdminApiClient Order(CommandContext context) => new(Host, Timeout < OrderLimit ? Timeout : OrderLimit, context.Time, Token);
}
