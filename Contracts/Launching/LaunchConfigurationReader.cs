using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Unicode;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Launching;

/// <summary>Reads a launch configuration and finds everything that is wrong with it at once.</summary>
/// <remarks>
/// What is inside <c>ContainerConfig</c> and <c>HostConfig</c> is the engine's to judge, less what the Controller itself relies on
/// (image, environment, ports). Whether a host runs it at all is a question of its policy, not of the format.
/// </remarks>
public static class LaunchConfigurationReader
{
    /// <summary>Size of the largest document that is read: 1 MiB.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Levels of objects and arrays in each other.</summary>
    public const int MaxDepth = 32;

    /// <summary>Errors that are reported at most.</summary>
    public const int MaxErrors = 100;

    private const int MaxHeaders = 32;

    /// <summary>Reads a document as it is stored: UTF-8, with or without a byte order mark, without comments.</summary>
    public static LaunchConfigurationResult Read(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            var problem = $"The document has {json.Length.ToString(CultureInfo.InvariantCulture)} bytes.";
            return new(null, [new("$", problem, $"At most {MaxBytes} are read; is it a launch configuration?")]);
        }

        var source = new SourceText(WithoutByteOrderMark(json));
        var configuration = Parse(source) is { } root ? Read(source, root) : null;
        var errors = source.Errors;
        return new(errors.Count == 0 ? configuration : null, errors);
    }

    private static ReadOnlyMemory<byte> WithoutByteOrderMark(ReadOnlyMemory<byte> json) =>
        json.Span.StartsWith("\uFEFF"u8) ? json["\uFEFF"u8.Length..] : json;

    private static SourceValue? Parse(SourceText source)
    {
        if (FirstNoText(source.Bytes.Span) is { } offset)
        {
            source.Add(offset, "$", "The document is not UTF-8 from here on.", "Save it as UTF-8.");
            return null;
        }

        try
        {
            return SourceParser.Parse(source.Bytes.Span, MaxDepth);
        }
        catch (JsonException e)
        {
            source.Add(source.OffsetOf(e.LineNumber ?? 0, e.BytePositionInLine ?? 0), "$", $"The document is not JSON: {Reason(e)}", "Correct it here or just before.");
        }
        catch (BrokenTextException e)
        {
            source.Add(e.Offset, "$", $"The document is not JSON: {e.Message}", "Write the character itself.");
        }

        return null;
    }

    /// <summary>Offset of the first byte that is not UTF-8.</summary>
    private static int? FirstNoText(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return null;
        }

        Utf8.ToUtf16(bytes, new char[bytes.Length], out var read, out _, replaceInvalidSequences: false);
        return read;
    }

    /// <summary>The parser's words without its own position, and without its quotation of what may be a value.</summary>
    private static string Reason(JsonException e)
    {
        // The library also advises whoever wrote the program.
        var message = e.Message.Split(" LineNumber:")[0].Replace(" which is not supported in this mode. Change the reader options.", ".", StringComparison.Ordinal);
        return message.Contains("literal", StringComparison.Ordinal) ? "a word that is not true, false or null." : message;
    }

    private static LaunchConfiguration? Read(SourceText source, SourceValue root)
    {
        if (root.Kind != JsonValueKind.Object)
        {
            source.Add(root, "The document is not an object.", "Write a launch configuration: { \"Revision\": …, \"ContainerConfig\": { … } }.");
            return null;
        }

        DuplicateNames.Check(source, root);
        var reader = new ObjectReader(source, root);
        var configuration = Configuration(source, reader);
        reader.End();
        return configuration;
    }

    private static LaunchConfiguration Configuration(SourceText source, ObjectReader reader)
    {
        var revision = reader.Text("Revision", "", TextRules.Revision);
        var container = reader.EngineObject("ContainerConfig");
        var host = reader.OptionalEngineObject("HostConfig");
        ContainerConfigRules.Check(source, container, revision);
        var grace = ContainerConfigRules.StopTimeout(container) ?? new StopSpec().Timeout;
        reader.PassOver("$schema");
        var routing = reader.Section("Routing", new Routing(), Routing);
        return new LaunchConfiguration
        {
            Revision = revision,
            ContainerConfig = Element(source, container) ?? default,
            HostConfig = Element(source, host),
            HealthCheckPath = reader.OptionalText("HealthCheckPath", TextRules.LoosePath),
            MaintenancePath = reader.OptionalText("MaintenancePath", TextRules.LoosePath),
            ForceReload = reader.Flag("ForceReload"),
            Port = reader.OptionalNumber("Port", 1, 65535),
            Protocol = reader.Choice("Protocol", new ApplicationProtocol()),
            HealthCheck = reader.Section("HealthCheck", new HealthCheckSpec(), HealthCheck),
            Drain = reader.Section("Drain", new DrainSpec(), Drain),
            Hold = reader.Section("Hold", new HoldSpec(), Hold),
            Stop = reader.Section("Stop", new StopSpec { Timeout = grace }, stop => Stop(stop, grace)),
            Probation = reader.Section("Probation", new ProbationSpec(), Probation),
            Routing = routing,
            Limits = reader.Section("Limits", new Limits(), Limits),
            Tls = reader.OptionalSection("Tls", tls => Tls(tls, routing)),
            ErrorPages = reader.Section("ErrorPages", new ErrorPages(), ErrorPages),
            Buffering = reader.Section("Buffering", new Buffering(), Buffering),
            Compression = reader.OptionalSection("Compression", Compression),
            Preview = reader.OptionalSection("Preview", preview => Preview(preview, routing)),
            Canary = reader.Section("Canary", new CanarySpec(), Canary),
            Artifact = reader.OptionalSection("Artifact", Artifact),
        };
    }

    private static HealthCheckSpec HealthCheck(ObjectReader reader)
    {
        var absent = new HealthCheckSpec();
        return new HealthCheckSpec
        {
            Path = reader.OptionalText("Path", TextRules.Path),
            Host = reader.OptionalText("Host", TextRules.Host),
            Headers = reader.Texts("Headers", MaxHeaders, TextRules.HeaderName, TextRules.HeaderValue),
            ExpectedStatus = reader.Text("ExpectedStatus", absent.ExpectedStatus, TextRules.ExpectedStatus),
            ExpectedBody = reader.OptionalText("ExpectedBody", TextRules.ExpectedBody),
            Interval = reader.Time("Interval", absent.Interval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
            Timeout = reader.Time("Timeout", absent.Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5)),
            Deadline = reader.Time("Deadline", absent.Deadline, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)),
            Successes = reader.Number("Successes", absent.Successes, 1, 100),
            Failures = reader.Number("Failures", absent.Failures, 1, 100),
            InMaintenance = reader.Choice("InMaintenance", absent.InMaintenance),
        };
    }

    private static DrainSpec Drain(ObjectReader reader)
    {
        var absent = new DrainSpec();
        return new DrainSpec
        {
            Timeout = reader.Time("Timeout", absent.Timeout, TimeSpan.Zero, TimeSpan.FromHours(24)),
            StreamTimeout = reader.Time("StreamTimeout", absent.StreamTimeout, TimeSpan.Zero, TimeSpan.FromHours(24)),
        };
    }

    private static HoldSpec Hold(ObjectReader reader) =>
        new() { Timeout = reader.Time("Timeout", new HoldSpec().Timeout, TimeSpan.Zero, TimeSpan.FromMinutes(5)) };

    private static StopSpec Stop(ObjectReader reader, TimeSpan grace) => new()
    {
        Signal = reader.OptionalText("Signal", TextRules.Signal),
        Timeout = reader.Time("Timeout", grace, TimeSpan.Zero, StopSpec.Longest),
    };

    private static ProbationSpec Probation(ObjectReader reader) => new()
    {
        Duration = reader.Time("Duration", new ProbationSpec().Duration, TimeSpan.Zero, TimeSpan.FromHours(24)),
        MaxErrorRate = reader.OptionalShare("MaxErrorRate"),
        MaxLatency = reader.OptionalTime("MaxLatency", TimeSpan.FromMilliseconds(1), ProbationSpec.LongestLatency),
        MinRequests = reader.Number("MinRequests", new ProbationSpec().MinRequests, 1, ProbationSpec.MostRequests),
    };

    private static Routing Routing(ObjectReader reader)
    {
        var routing = new Routing
        {
            Hosts = reader.TextList("Hosts", Control.Routing.MaxHosts, TextRules.RoutedHost),
            PathPrefix = reader.Text("PathPrefix", new Routing().PathPrefix, TextRules.PathPrefix),
            StripPathPrefix = reader.Flag("StripPathPrefix"),
            Redirect = reader.OptionalSection("Redirect", Redirect),
        };
        reader.Check("Redirect", WwwWithoutPair(routing));
        return routing;
    }

    private static Redirect Redirect(ObjectReader reader) =>
        new() { Https = reader.Flag("Https"), Www = reader.Choice("Www", new Redirect().Www) };

    private static Flaw? WwwWithoutPair(Routing routing) =>
        routing.Redirect is null or { Www: WwwRedirect.Keep } || routing.Hosts.Any(host => routing.Names($"www.{host}"))
            ? null
            : new("\"Www\" has no effect: no host is there both with and without \"www.\".", "Write both names into Hosts, such as \"shop.example\" and \"www.shop.example\".");

    private static Limits Limits(ObjectReader reader)
    {
        var absent = new Limits();
        return new Limits
        {
            MaxRequestBody = reader.OptionalSize("MaxRequestBody"),
            MaxAnswerBody = reader.OptionalSize("MaxAnswerBody"),
            AnswerTimeout = reader.Time("AnswerTimeout", absent.AnswerTimeout, Control.Limits.Shortest, Control.Limits.Longest),
            IdleTimeout = reader.Time("IdleTimeout", absent.IdleTimeout, Control.Limits.Shortest, Control.Limits.Longest),
            MaxRequestsInFlight = reader.OptionalNumber("MaxRequestsInFlight", 1, Control.Limits.MostInFlight),
            MaxQueued = reader.Number("MaxQueued", absent.MaxQueued, 0, Control.Limits.MostQueued),
            QueueTimeout = reader.Time("QueueTimeout", absent.QueueTimeout, TimeSpan.Zero, Control.Limits.LongestQueue),
        };
    }

    private static TlsSettings Tls(ObjectReader reader, Routing routing)
    {
        var tls = new TlsSettings
        {
            Hsts = reader.OptionalSection("Hsts", Hsts),
            ClientCertificates = reader.Choice("ClientCertificates", ClientCertificates.None),
            Automatic = reader.Choice("Automatic", AutomaticCertificates.None),
        };
        reader.Check("Automatic", tls.Automatic is AutomaticCertificates.Hosts ? NotObtainable(routing) : null);
        return tls;
    }

    private static Flaw? NotObtainable(Routing routing) => routing.Hosts switch
    {
        { Count: 0 } => new("There is no host to obtain a certificate for.", "Write the names into Routing.Hosts, or \"OnDemand\"."),
        var hosts when hosts.FirstOrDefault(host => host.StartsWith('*')) is { } wildcard => new(
            $"No certificate for \"{wildcard}\" can be obtained: authorities validate wildcards by DNS only.", "Write the names themselves into Routing.Hosts, or \"OnDemand\"."),
        var hosts when hosts.FirstOrDefault(host => IPAddress.TryParse(host, out _)) is { } address => new(
            $"No certificate for \"{address}\" can be obtained: it is no name.", "Write names into Routing.Hosts, or \"OnDemand\"."),
        _ => null,
    };

    private static Hsts Hsts(ObjectReader reader)
    {
        var hsts = new Hsts
        {
            MaxAgeDays = reader.Number("MaxAgeDays", new Hsts().MaxAgeDays, 0, Control.Hsts.LongestDays),
            IncludeSubdomains = reader.Flag("IncludeSubdomains"),
            Preload = reader.Flag("Preload"),
        };
        if (hsts.IsPreloadedInVain)
        {
            reader.Refuse("Preload", "Browsers take no such host into their lists.", $"Set IncludeSubdomains, and MaxAgeDays to {Control.Hsts.PreloadDays} at least, or leave Preload out.");
        }

        return hsts;
    }

    private static ErrorPages ErrorPages(ObjectReader reader) => new()
    {
        Pages = reader.Texts("Pages", Control.ErrorPages.MaxPages, TextRules.ErrorPageKey, TextRules.ErrorPage),
        ReplaceAnswers = reader.Flag("ReplaceAnswers"),
    };

    private static Buffering Buffering(ObjectReader reader)
    {
        var absent = new Buffering();
        return new Buffering
        {
            Requests = reader.Flag("Requests", absent.Requests),
            Answers = reader.Flag("Answers", absent.Answers),
            Memory = reader.Size("Memory", absent.Memory, Control.Buffering.LeastMemory, Control.Buffering.MostMemory),
            MaxRequest = reader.Size("MaxRequest", absent.MaxRequest, 0, ByteSize.Largest),
            MaxAnswer = reader.Size("MaxAnswer", absent.MaxAnswer, 0, ByteSize.Largest),
        };
    }

    private static Compression Compression(ObjectReader reader)
    {
        var absent = new Compression();
        return new Compression
        {
            Types = reader.TextList("Types", Control.Compression.MaxTypes, TextRules.MediaType, absent.Types),
            MinSize = reader.Size("MinSize", absent.MinSize, 0, ByteSize.Largest),
        };
    }

    private static Preview Preview(ObjectReader reader, Routing routing)
    {
        var preview = new Preview
        {
            TokenHashes = reader.TextList("TokenHashes", Control.Preview.MaxTokens, TextRules.TokenHash),
            Hosts = reader.TextList("Hosts", Control.Preview.MaxHosts, TextRules.RoutedHost),
            Clients = reader.TextList("Clients", Control.Preview.MaxClients, TextRules.Network),
        };
        reader.Check("Hosts", HostWithoutUse(preview, routing));
        return preview;
    }

    private static Flaw? HostWithoutUse(Preview preview, Routing routing)
    {
        if (preview.Hosts.FirstOrDefault(host => !routing.Covers(host)) is { } stranger)
        {
            return new($"\"{stranger}\" is no host of the application.", "Write it into Routing.Hosts, too.");
        }

        return preview is { Hosts.Count: > 0, Clients.Count: 0 }
            ? new("Nobody may use these hosts: there are no Clients.", "Write the networks of those who may, such as \"10.0.0.0/8\", into Clients.")
            : null;
    }

    private static CanarySpec Canary(ObjectReader reader) =>
        new() { Percent = reader.Number("Percent", 0, 0, 100), Header = reader.OptionalText("Header", TextRules.FieldName) };

    private static ArtifactSpec Artifact(ObjectReader reader) => new()
    {
        Bucket = reader.OptionalText("Bucket", TextRules.Bucket),
        Key = reader.RequiredText("Key", TextRules.Key),
    };

    private static JsonElement? Element(SourceText source, SourceValue? value) =>
        value is null ? null : JsonElement.Parse(source.Bytes.Span[value.Start..value.End]);
}
