namespace Wunderproxy.Contracts.Admin;

/// <summary>JSON body of <c>POST /launch</c> and <c>POST /switch</c>; the hash alone as text does as well.</summary>
/// <param name="Hash">Hash of a published launch configuration: 64 or 32 lower-case hex digits.</param>
public sealed record ReleaseOrder(string Hash);

/// <summary>JSON answer of <c>POST /maintenance/up</c> and <c>POST /maintenance/down</c>.</summary>
/// <param name="MaintenanceMode">Whether maintenance is up now.</param>
public sealed record MaintenanceStatus(bool MaintenanceMode);

/// <summary>JSON answer of <c>POST /abort</c>.</summary>
/// <param name="Withdrawn">The deployments that were under way and have ended by it.</param>
public sealed record AbortStatus(IReadOnlyList<DeploymentStatus> Withdrawn);

/// <summary>JSON answer of <c>POST /pause</c> and <c>POST /resume</c>.</summary>
/// <param name="Paused">Whether traffic is paused now.</param>
public sealed record PauseStatus(bool Paused);

/// <summary>JSON answer of <c>POST /drain-host</c> and <c>POST /undrain-host</c>.</summary>
/// <param name="Drained">Whether the host is out of service now.</param>
public sealed record HostDrainStatus(bool Drained);

/// <summary>JSON body of <c>POST /canary</c>; <c>10%</c> or <c>off</c> as text does as well.</summary>
/// <param name="Percent">Percent of the clients, 0 to 100; 0 ends the canary.</param>
public sealed record CanaryOrder(int Percent);

/// <summary>The share of clients that a release gets while it stands by. JSON answer of <c>POST /canary</c>.</summary>
/// <param name="Hash">The release; empty: there is no canary.</param>
/// <param name="Percent">Percent of the clients.</param>
public sealed record CanaryStatus(string Hash, int Percent);
