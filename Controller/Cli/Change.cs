using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Comparing;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary>What a deployment is about to change.</summary>
/// <param name="Document">The document that is to be deployed.</param>
/// <param name="Configuration">What is in it.</param>
/// <param name="Former">The one that serves or, where that isn't known, that every host should run; absent: there is none.</param>
/// <param name="Origin">Why it is that one, continuing "against …".</param>
internal sealed record Change(LaunchDocument Document, LaunchConfiguration Configuration, LaunchDocument? Former, string Origin)
{
    /// <summary>The differences, value by value; values that may be secret are hidden.</summary>
    public IReadOnlyList<Difference> Differences { get; } = ConfigurationDiff.Between(Former?.Bytes, Document.Bytes);

    /// <summary>Finds out what is to be replaced: on the host if it can be asked, else <c>current.json</c>.</summary>
    /// <param name="document">The document that is to be deployed.</param>
    /// <param name="configuration">What is in it.</param>
    /// <param name="status">What the host says; absent: nobody was asked.</param>
    /// <param name="host">The host as it was named.</param>
    /// <param name="source">The documents.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Store.StoreException">The store couldn't be read.</exception>
    public static async Task<Change> OfAsync(
        LaunchDocument document, LaunchConfiguration configuration, StatusDocument? status, string host, DocumentSource source, CancellationToken cancellationToken)
    {
        var current = await source.ReadCurrentAsync(cancellationToken);
        if (current is not null && !LaunchConfigurationReader.Read(current.Bytes).IsValid)
        {
            return new Change(document, configuration, null, "nothing: the current.json that is there is no valid launch configuration");
        }

        if (status?.Active is not { } active)
        {
            return new Change(document, configuration, current, current is null ? "nothing: there is no current.json yet" : $"current.json: {NameOf(current)}");
        }

        // A release of the Go tool is published under another digest; what serves is current.json mostly.
        var former = current?.Hash == active ? current : await source.FindPublishedAsync(active, cancellationToken);
        return former is null
            ? new Change(document, configuration, current, $"current.json, for what serves at {host} isn't published: {Words.Short(active)}")
            : new Change(document, configuration, former, $"what serves at {host}: {NameOf(former)}{(current?.Hash == active ? "" : ", which is not current.json")}");
    }

    /// <summary>What changes, and what will happen, for people.</summary>
    public IEnumerable<Line> Lines() =>
    [
        new($"{NameOf(Document)} against {Origin}", Tone.Strong),
        .. DiffText.Of(Differences),
        .. Steps().Select(step => new Line("  " + step, Tone.Faint)),
    ];

    public static string NameOf(LaunchDocument document) => Words.Name(LaunchConfigurationReader.Read(document.Bytes).Configuration?.Revision, document.Hash);

    private IEnumerable<string> Steps()
    {
        if (Former?.Hash == Document.Hash && !Configuration.ForceReload)
        {
            yield return "It is the same document: a host on which it serves has nothing to do.";
            yield break;
        }

        var check = Configuration.HealthCheck;
        yield return $"Its container is started beside what serves, and asked GET {Configuration.HealthPath()} on port {Configuration.ContainerPort} until it answers {check.ExpectedStatus}, for {Duration.Format(check.Deadline)} at most.";
        yield return $"Then traffic moves. Requests of the former release may finish within {Duration.Format(Configuration.Drain.Timeout)}, streams within {Duration.Format(Configuration.Drain.StreamTimeout)}; it stays warm for {Duration.Format(Configuration.Probation.Duration)}.";
    }
}
