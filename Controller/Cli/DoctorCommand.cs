using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Examining;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy doctor</c>: looks at everything that a Controller needs of its host, with a verdict and the fix for each.</summary>
internal static class DoctorCommand
{
    private const string Examples = """
        Examples:
          wunderproxy doctor deployments shop     on the host itself, by the Controller's user
          wunderproxy doctor ./store shop --docker unix:///run/docker.sock

        Writes one document into the store and removes it again, to see whether writes are held to their conditions.
        Exit codes: 0 all will do   88 something won't work
        """;

    private const string EngineFolder = "/var/lib/docker";
    private static readonly Uri Amazon = new("https://s3.amazonaws.com/");
    private static readonly IReadOnlyList<Setting> Options = [RunOptions.Docker, RunOptions.RegistryPort, RunOptions.StateDir, RunOptions.Proxy, RunOptions.ProxyControl];

    public static Command Define(CommandContext context)
    {
        var command = new ExplainedCommand("doctor", "Looks at everything that is needed of a host, and says what to mend.", Examples);
        var store = StoreArguments.AddTo(command);
        var settings = SettingOptions.AddTo(command, Options);
        var options = OperatorOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("doctor", context, async () =>
        {
            var reader = settings.Reader(parsed, context);
            var engine = reader.Required(RunOptions.Docker, SettingParsers.EngineAddress);
            var registry = reader.Required(RunOptions.RegistryPort, SettingParsers.Port);
            var state = reader.Optional(RunOptions.StateDir, SettingParsers.Directory);
            var publicAddress = reader.Required(RunOptions.Proxy, SettingParsers.PublicAddress) as ListenAddress.Tcp;
            var control = reader.Optional(RunOptions.ProxyControl, SettingParsers.SocketPath);
            if (reader.Errors.Count > 0)
            {
                return RunCommand.Refuse("doctor", reader.Errors, context);
            }

            return store.Read(parsed, context) is { } documents && options.Read(parsed, context) is { } asked
                ? await RunAsync(new Patient(documents, asked, engine!, registry, state, publicAddress!.EndPoint, control ?? (state is null ? null : RunSettingsReader.ControlSocketIn(state))), context, cancellationToken)
                : ExitCode.Usage;
        }, cancellationToken));
        return command;
    }

    private static async Task<ExitCode> RunAsync(Patient patient, CommandContext context, CancellationToken cancellationToken)
    {
        var findings = await ExamineAsync(patient, context, cancellationToken);
        if (patient.Asked.IsJson)
        {
            findings.ForEach(finding => context.Output.WriteLine(JsonSerializer.Serialize(finding, JsonLines.Format.Finding)));
        }
        else
        {
            context.Lines.Write(findings.SelectMany(LinesOf));
        }

        return findings.Exists(finding => finding.Verdict == Verdict.Wrong) ? ExitCode.NotWell : ExitCode.Ok;
    }

    private static async Task<List<Finding>> ExamineAsync(Patient patient, CommandContext context, CancellationToken cancellationToken)
    {
        var examination = new Examination(context.Time);
        var clock = await examination.ClockAsync(patient.Documents.S3Endpoint ?? (patient.IsDirectory ? new Uri($"http://localhost:{patient.RegistryPort}/v2/") : Amazon), cancellationToken);
        var (status, ofController) = await ControllerAsync(patient, context, cancellationToken);
        return
        [
            .. await Examination.EngineAsync(token => Engine(patient, context).GetInfoAsync(token), cancellationToken),
            .. Disks(patient),
            await examination.RegistryAsync(patient.RegistryPort, cancellationToken),
            .. await StoreAsync(patient, context, cancellationToken),
            clock ?? new Finding("clock", Verdict.Doubtful, "Nobody could be asked for the time."),
            .. patient.Asked.Host.IsHere ? await ProxyAsync(patient, status?.Proxy, context, cancellationToken) : [],
            .. ofController,
        ];
    }

    private static async Task<IReadOnlyList<Finding>> ProxyAsync(Patient patient, ProxyStatus? proxy, CommandContext context, CancellationToken cancellationToken) =>
    [
        PortExamination.PublicAddress(proxy, patient.PublicAddress),
        .. patient.ControlSocket is { } socket ? [await PortExamination.ControlSocketAsync(socket, context.Time, cancellationToken)] : Array.Empty<Finding>(),
        DescriptorExamination.OfOurs(DescriptorExamination.Read("self")),
        .. proxy is { ProcessId: var id } ? [DescriptorExamination.OfProxy(id, DescriptorExamination.Read(id.ToString(CultureInfo.InvariantCulture)))] : Array.Empty<Finding>(),
    ];

    private static DockerEngine Engine(Patient patient, CommandContext context) => new(
        EngineEndpoint.Parse(patient.Engine),
        new RegistryCredentials(RegistryCredentials.DefaultDirectory, context.Time, NullLogger.Instance),
        new EngineDeadlines(),
        context.Time,
        NullLogger<DockerEngine>.Instance);

    private static IEnumerable<Finding> Disks(Patient patient) => new[] { EngineFolder, patient.StateDirectory ?? "/var/lib" }
        .Where(Directory.Exists)
        .Select(folder => (Folder: folder, Drive: new DriveInfo(folder)))
        .Select(disk => Examination.Disk(disk.Folder, disk.Drive.AvailableFreeSpace, disk.Drive.TotalSize));

    private static async Task<IReadOnlyList<Finding>> StoreAsync(Patient patient, CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await Examination.StoreAsync(patient.Documents.OpenExisting(context.Time), patient.Documents.Prefix, cancellationToken);
        }
        catch (Store.StoreException e)
        {
            return [new Finding("store", Verdict.Wrong, e.Message)];
        }
    }

    private static async Task<(StatusDocument? Status, IReadOnlyList<Finding> Findings)> ControllerAsync(Patient patient, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = patient.Asked.Ask(context);
        try
        {
            var status = await api.GetStatusAsync(cancellationToken);
            return (status, Examination.Conditions(status, patient.Asked.Host.Name));
        }
        catch (AdminException e)
        {
            return (null, [new Finding("controller", Verdict.Wrong, e.Message)]);
        }
    }

    private static IEnumerable<Line> LinesOf(Finding finding)
    {
        var (sign, tone) = finding.Verdict switch
        {
            Verdict.Well => ("ok  ", Tone.Good),
            Verdict.Doubtful => ("hm  ", Tone.Plain),
            _ => ("BAD ", Tone.Bad),
        };
        var what = finding.What.Split('\n');
        return
        [
            new Line($"{sign} {finding.Subject,-20} {what[0]}", tone),
            .. what.Skip(1).Concat(finding.Fix is { } fix ? [fix] : []).Select(line => new Line($"{"",26}{line}")),
        ];
    }

    /// <summary>The host that is examined.</summary>
    private sealed record Patient(StoreSettings Documents, OperatorSettings Asked, string Engine, int RegistryPort, string? StateDirectory, IPEndPoint PublicAddress, string? ControlSocket)
    {
        public bool IsDirectory => Store.ObjectStore.IsDirectory(Documents.Bucket);
    }
}
