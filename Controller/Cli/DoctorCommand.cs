using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.AdminClient;
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
    private static readonly IReadOnlyList<Setting> Options = [RunOptions.Docker, RunOptions.RegistryPort, RunOptions.StateDir];

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
            if (reader.Errors.Count > 0)
            {
                return RunCommand.Refuse("doctor", reader.Errors, context);
            }

            return store.Read(parsed, context) is { } documents && options.Read(parsed, context) is { } asked
                ? await RunAsync(new Patient(documents, asked, engine!, registry, state), context, cancellationToken)
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
        return
        [
            .. await Examination.EngineAsync(token => Engine(patient, context).GetInfoAsync(token), cancellationToken),
            .. Disks(patient),
            await examination.RegistryAsync(patient.RegistryPort, cancellationToken),
            .. await StoreAsync(patient, context, cancellationToken),
            clock ?? new Finding("clock", Verdict.Doubtful, "Nobody could be asked for the time."),
            .. await ControllerAsync(patient, context, cancellationToken),
        ];
    }

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

    private static async Task<IReadOnlyList<Finding>> ControllerAsync(Patient patient, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = patient.Asked.Ask(context);
        try
        {
            return Examination.Conditions(await api.GetStatusAsync(cancellationToken), patient.Asked.Host.Name);
        }
        catch (AdminException e)
        {
            return [new Finding("controller", Verdict.Wrong, e.Message)];
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
    private sealed record Patient(StoreSettings Documents, OperatorSettings Asked, string Engine, int RegistryPort, string? StateDirectory)
    {
        public bool IsDirectory => Store.ObjectStore.IsDirectory(Documents.Bucket);
    }
}
