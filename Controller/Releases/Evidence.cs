using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Says why a release failed: the kind, what was seen, what still holds, and what to do.</summary>
internal static class Evidence
{
    // 128 and the number of SIGKILL.
    private const int Killed = 137;
    private const string MoreMemory = "Raise HostConfig.Memory, or look for what uses so much";

    /// <summary>The container ended before it served, or while on probation.</summary>
    public static FailureEvidence OfExit(Situation s, string hash, ContainerFact container, string when) => container switch
    {
        { OomKilled: true } => Of(s, hash, FailureClass.OutOfMemory, container, $"was killed {when} because it used more memory than it may", MoreMemory),
        { HasMemoryLimit: true, ExitCode: Killed } => Of(
            s, hash, FailureClass.OutOfMemory, container, $"was killed {when} by SIGKILL, as the kernel does with a container that uses more memory than it may", MoreMemory),
        _ => Of(s, hash, FailureClass.Exited, container, $"exited with code {container.ExitCode} {when}", "Look at its last log lines"),
    };

    /// <summary>The container ended again and again after it had been healthy.</summary>
    public static FailureEvidence OfCrashLoop(Situation s, string hash, ContainerFact container, int exits) =>
        Of(s, hash, FailureClass.CrashLoop, container, $"was healthy and exited {exits} times, the last time with code {container.ExitCode}", "Look at its last log lines");

    /// <summary>The container runs and isn't healthy.</summary>
    public static FailureEvidence OfUnhealthy(Situation s, string hash, ContainerFact container, LaunchConfiguration configuration, string when)
    {
        var port = configuration.ContainerPort;
        var ports = container.Verdict.ListeningPorts;
        return container.Verdict.LastFailure switch
        {
            ProbeFailure.Unexpected => Of(
                s, hash, FailureClass.UnhealthyStatus, container, $"{when}: {configuration.HealthPath()} answered {container.Verdict.LastAnswer}",
                "Look why it does, or set HealthCheck to a path that tells its health"),
            ProbeFailure.Refused when ports.Count > 0 && !ports.Contains(port) => Of(
                s, hash, FailureClass.WrongPort, container, $"{when}: nothing listens on port {port}, but the container listens on {string.Join(", ", ports)}",
                $"Set Port to {ports[0]}, or let the application listen on {port}"),
            _ => Of(
                s, hash, FailureClass.Timeout, container, $"{when}: {configuration.HealthPath()} on port {port} gave no answer ({container.Verdict.LastAnswer ?? "no probe has ended"})",
                "Look at its last log lines, or raise HealthCheck.Deadline where it needs longer to start"),
        };
    }

    /// <summary>The release answered, but worse than it may, and than the one before.</summary>
    /// <param name="served">How long it has had traffic.</param>
    public static FailureEvidence OfTraffic(Situation s, string hash, ContainerFact container, TrafficComplaint complaint, TimeSpan served)
    {
        var limit = s.ConfigurationOf(hash)?.Probation.MaxLatency ?? TimeSpan.Zero;
        var (kind, did, advice) = complaint.Flaw == TrafficFlaw.Errors
            ? (FailureClass.ErrorRate, "answered with an error", "Look at its last log lines, or raise Probation.MaxErrorRate")
            : (FailureClass.Latency, $"took longer than {Duration.Format(limit)} for", "Look for what makes it slow, or raise Probation.MaxLatency");
        var former = complaint.Former is { } share ? $", and the release before had {Percentage.Format(share)}" : "";
        var seconds = TimeSpan.FromSeconds(Math.Round(served.TotalSeconds));
        return Of(
            s, hash, kind, container,
            $"{did} {complaint.Bad} of {complaint.Requests} requests ({Percentage.Format((double)complaint.Bad / complaint.Requests)}) in its first {Duration.Format(seconds)}; {Percentage.Format(complaint.Allowed)} may be{former}",
            advice);
    }

    /// <summary>The engine or the registry refused what the configuration asks for.</summary>
    public static FailureEvidence OfRefusal(Situation s, string hash, EffectFailure failure) =>
        Of(s, hash, failure.Class ?? FailureClass.BadOption, null, $"can't {(failure.Class == FailureClass.RouteTaken ? "have traffic" : "be started")}: {failure.Message.TrimEnd('.')}", AdviceOn(failure.Class));

    private static string AdviceOn(FailureClass? refusal) => refusal switch
    {
        FailureClass.ImageMissing => "Push the image, or correct ContainerConfig.Image",
        FailureClass.PortTaken => "Free the port, or leave it out of HostConfig.PortBindings: the former release and the new one can't both have it",
        FailureClass.RouteTaken => "Set Routing.Hosts or Routing.PathPrefix to what no other application of this host has",
        _ => "Correct the option in ContainerConfig or HostConfig",
    };

    private static FailureEvidence Of(Situation s, string hash, FailureClass kind, ContainerFact? container, string what, string advice) => new()
    {
        Class = kind,
        Message = $"Release {NameOf(s, hash)} {what}. {WhatHolds(s, hash)} {advice}; then publish a new configuration, or launch this one again.",
        At = s.Now,
        ExitCode = container?.State == ContainerState.Exited ? container.ExitCode : null,
        LastProbe = container?.Verdict.LastAnswer,
    };

    private static string WhatHolds(Situation s, string hash) =>
        s.Journal.Active is { } active && active.Ref.Hash != hash ? $"{NameOf(s, active.Ref.Hash)} serves on." : "No release serves.";

    private static string NameOf(Situation s, string hash) =>
        s.Seen.Configurations.GetValueOrDefault(hash)?.ValueOrDefault is { Revision.Length: > 0 } configuration ? configuration.Revision : hash[..12];
}
