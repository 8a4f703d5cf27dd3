using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>What is well and what is not, from the facts.</summary>
internal static class Conditions
{
    // What the Proxy can't take is sent to it again each second.
    private static readonly TimeSpan RefusalCounts = TimeSpan.FromSeconds(15);

    public static IEnumerable<Condition> Of(Situation s, EngineLink engine, CurrentReading current, string? journalDamage, string? saveFailure)
    {
        yield return Ready(s);
        yield return Available(s);
        yield return Healthy(s);
        yield return Engine(s, engine);
        yield return Proxy(s);
        yield return Routing(s);
        yield return Store(s, current);
        yield return Configuration(s, current);
        yield return StateFile(s, journalDamage, saveFailure);
        yield return Rollback(s);
        if (engine.Info is { } info)
        {
            yield return info.LiveRestore
                ? Of(s, "LiveRestore", true, "On", "Containers survive a restart of the engine.")
                : Of(s, "LiveRestore", false, "Off", "A restart of the Docker Engine stops every container. Set \"live-restore\": true in the engine's daemon.json.");
        }
    }

    /// <summary>Whether the host is in service; nothing where the Proxy isn't reached, or is of a version that doesn't tell.</summary>
    public static IEnumerable<Condition> OfService(Situation s, ProxyStatus? proxy) => proxy switch
    {
        null => [],
        { HostDrain: { } drain } =>
        [
            Of(s, "InService", false, "Drained", "The host is out of service: the health check's path answers 503, and whoever comes is served. Deployments go on. wunderproxy undrain-host brings it back.")
                with { Since = drain.Since },
        ],
        _ => [Of(s, "InService", true, "InService", "The host is in service.")],
    };

    /// <summary>Whether all is well with what the Proxy speaks TLS with; nothing where it speaks none, or isn't reached.</summary>
    public static IEnumerable<Condition> OfCertificates(Situation s, ProxyStatus? proxy)
    {
        if (proxy is not { Certificates: { Count: > 0 } certificates })
            yield break;
        var problems = certificates.Where(certificate => certificate.Problem is not null).Select(certificate => $"{certificate.Name}: {certificate.Problem}").ToList();
        yield return problems.Count == 0
            ? Of(s, "CertificatesValid", true, "Valid", "The Proxy's certificates are valid.")
            : Of(s, "CertificatesValid", false, "Problem", string.Join('\n', problems));
    }

    /// <summary>Whether all automatic certificates are there; nothing where none are wanted.</summary>
    /// <param name="s">The facts.</param>
    /// <param name="certificates">The certificates; absent: the Controller wasn't told to obtain any.</param>
    /// <param name="failure">What is wrong with the whole.</param>
    public static IEnumerable<Condition> OfAutomaticCertificates(Situation s, IReadOnlyList<AutomaticCertificate>? certificates, string? failure)
    {
        if (certificates is null)
        {
            if (s.Journal.Active is { } active && s.ConfigurationOf(active.Ref.Hash)?.Tls is { Automatic: not AutomaticCertificates.None })
                yield return Of(s, "CertificatesObtained", false, "NotAgreed", "The release wants automatic certificates, and none are obtained. Start the Controller with --acme-agree.");
            yield break;
        }

        if (certificates.Count == 0 && failure is null)
            yield break;
        var problems = certificates.Where(certificate => certificate.LastError is not null).Select(certificate => $"{certificate.Host}: {certificate.LastError}").ToList();
        var missing = certificates.Where(certificate => !certificate.IsInForce).Select(certificate => certificate.Host).ToList();
        yield return (problems, missing) switch
        {
            _ when failure is not null => Of(s, "CertificatesObtained", false, "Hindered", $"{Sentence(failure)} Certificates that are in force stay."),
            ({ Count: > 0 }, _) => Of(s, "CertificatesObtained", false, "Failing", string.Join('\n', problems)),
            (_, { Count: > 0 }) => Of(s, "CertificatesObtained", null, "Obtaining", $"Not there yet: {string.Join(", ", missing)}."),
            _ => Of(s, "CertificatesObtained", true, "Obtained", "All automatic certificates are there."),
        };
    }

    private static Condition Ready(Situation s)
    {
        if (s.Decision is not { } decision)
            return Of(s, "Ready", false, "NothingDesired", "No release is desired yet. Publish a current.json, or launch and switch to one.");
        if (s.Journal.RejectionOf(decision.Hash) is { } rejection)
            return Of(s, "Ready", false, rejection.Evidence.Class.ToString(), rejection.Evidence.Message);
        if (s.NeedsRollout || s.Journal.Switch is not null)
            return Of(s, "Ready", false, "Progressing", s.Wait.Reason);
        return s.Active is { IsReady: true } active && s.IsServed(active)
            ? Of(s, "Ready", true, "Serving", "The desired release serves.")
            : Of(s, "Ready", false, "Recovering", s.Wait.Reason);
    }

    private static Condition Available(Situation s) => s.Containers.FirstOrDefault(s.IsServed) switch
    {
        { IsReady: true } => Of(s, "Available", true, "Serving", "A healthy release gets the requests."),
        { IsRunning: true, Verdict.State: Readiness.Unverified } => Of(s, "Available", null, "NotProbedYet", "The release that gets the requests has not been probed yet."),
        _ => Of(s, "Available", s.ProxyIsKnown && s.Seen.Containers is Fact<ValueList<ContainerFact>>.Known ? false : null, "NoReadyContainer", "No healthy release is known to get the requests."),
    };

    private static Condition Healthy(Situation s) => s.Active switch
    {
        { IsReady: true } => Of(s, "Healthy", true, "Ready", "The active release answers its health check."),
        { Verdict.State: Readiness.Unready } active => Of(s, "Healthy", false, "Unready", $"The active release fails its health check: {active.Verdict.LastAnswer}. It keeps the traffic; look at its log."),
        { State: ContainerState.Exited } active => Of(s, "Healthy", false, s.Journal.Crashes is { Count: > 1 } ? "CrashLoop" : "Exited", $"The active release exited with code {active.ExitCode}; it is started again."),
        _ => Of(s, "Healthy", s.Journal.Active is null ? null : false, "NotReady", "No active release is known to be healthy."),
    };

    private static Condition Engine(Situation s, EngineLink engine) => engine.IsOpen
        ? Of(s, "DockerReachable", true, "Reached", engine.Info is { } info ? $"Docker Engine {info.Version} answers." : "Docker Engine answers.")
        : Of(s, "DockerReachable", false, "Unreachable", $"{Sentence(engine.Failure)} What runs goes on; nothing is started or stopped.");

    private static Condition Proxy(Situation s) => s.Seen.Proxy is Fact<ApplicationState?>.Unknown unknown
        ? Of(s, "ProxyReachable", false, "Unreachable", $"{Sentence(unknown.Reason)} No traffic is moved and nothing is stopped until it answers.")
        : Of(s, "ProxyReachable", true, "Reached", "The Proxy answers.");

    // What is the fault of a release is said of the release.
    private static Condition Routing(Situation s)
    {
        if (s.FailuresOf("proxy", s.Now - RefusalCounts).Where(failure => failure.Outcome == Outcome.TerminalEnv).MaxBy(failure => failure.At) is { } refusal)
            return Of(s, "RoutingAccepted", false, "Refused", $"{Sentence(refusal.Message)} It serves on as before, and is told again until it takes it.");
        return s.ProxyIsKnown
            ? Of(s, "RoutingAccepted", true, "Accepted", "The Proxy takes what it is told.")
            : Of(s, "RoutingAccepted", null, "NotKnown", "The Proxy doesn't answer.");
    }

    private static Condition Store(Situation s, CurrentReading current) => current switch
    {
        { Failure: { } failure } => Of(s, "StoreReachable", false, "Unreachable", $"{Sentence(failure)} What runs goes on; changes of current.json are not seen."),
        { CheckedAt: null } => Of(s, "StoreReachable", null, "NotReadYet", "The store has not been read yet."),
        _ => Of(s, "StoreReachable", true, "Reached", "The store answers."),
    };

    private static Condition Configuration(Situation s, CurrentReading current) => current.Document switch
    {
        CurrentDocument.Valid => Of(s, "ConfigurationAccepted", true, "Valid", "current.json is valid."),
        CurrentDocument.Invalid invalid => Of(s, "ConfigurationAccepted", false, "Invalid", $"{invalid.Reason}\nWhat runs goes on. Correct the document and publish it again."),
        CurrentDocument.Absent => Of(s, "ConfigurationAccepted", null, "Absent", "There is no current.json."),
        CurrentDocument.Unreadable unreadable => Of(s, "ConfigurationAccepted", null, "NotRead", unreadable.Reason),
        _ => throw new ArgumentOutOfRangeException(nameof(current), current.Document, "Not a document."),
    };

    private static Condition StateFile(Situation s, string? damage, string? saveFailure)
    {
        if (saveFailure is not null)
            return Of(s, "StateDurable", false, "WriteFailed", $"{Sentence(saveFailure)} What runs goes on; no launch or switch is taken until it can be written.");
        return damage is null
            ? Of(s, "StateDurable", true, "Written", "The state file is whole.")
            : Of(s, "StateDurable", true, "Repaired", $"The state file was damaged when the Controller started; what could be read was taken over. {damage}");
    }

    private static Condition Rollback(Situation s)
    {
        if (s.Journal.Drains.Any(d => s.Find(d.Ref) is { IsReady: true }))
            return Of(s, "RollbackAvailable", true, "Warm", "The former release is warm.");
        return s.Find(s.Journal.Retained) is not null
            ? Of(s, "RollbackAvailable", true, "Retained", "The former release is stopped and kept.")
            : Of(s, "RollbackAvailable", false, "NoFormerRelease", "No former release is kept.");
    }

    private static string Sentence(string? reason) => $"{reason?.TrimEnd('.')}.";

    private static Condition Of(Situation s, string type, bool? status, string reason, string message) => new(type, status, reason, message, s.Now);
}
