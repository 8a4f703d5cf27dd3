using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.Controller.Observing;

/// <summary>
/// Knows the containers and images of the application. It asks the engine only after something may have changed, and beside the loop,
/// so that an engine that hangs delays nothing else: then the containers count as unknown.
/// </summary>
internal sealed class EngineObserver(IContainerEngine engine, EngineSession session, IReadOnlyDictionary<string, string> labels, Action wake, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(2);
    private static readonly IReadOnlyDictionary<string, EngineImage?> NoImages = new Dictionary<string, EngineImage?>();

    private readonly Lock _gate = new();
    private long _wanted = 1;
    private long _seen;
    private EngineFacts? _facts;
    private string? _failure;
    private long? _waitingSince;
    private Task _refresh = Task.CompletedTask;

    /// <summary>Something may have changed: what is known is out of date until the engine was asked again.</summary>
    public void Invalidate()
    {
        lock (_gate)
            _wanted++;
    }

    /// <summary>Why the engine tells nothing though its events are followed; absent: it answers, or was not waited for long.</summary>
    public string? Silence
    {
        get
        {
            lock (_gate)
            {
                return _waitingSince is { } since && time.GetElapsedTime(since) >= Silent
                    ? _failure ?? $"The engine takes calls, but hasn't answered for {Silent.TotalSeconds} s."
                    : null;
            }
        }
    }

    /// <summary>Whether there was a container of that name when the engine last told.</summary>
    public bool HasSeen(string name)
    {
        lock (_gate)
            return _facts?.Containers.Any(c => c.Container.Name == name) ?? false;
    }

    /// <summary>The newest facts, asked for where they are out of date or don't cover all references.</summary>
    public async Task<Fact<EngineFacts>> ObserveAsync(IReadOnlyCollection<string> references, CancellationToken cancellationToken)
    {
        if (session.Link is { IsOpen: false, Failure: { } lost })
            return new Fact<EngineFacts>.Unknown(lost);
        if (!IsCurrent(references) && _refresh.IsCompleted)
            _refresh = RefreshAsync(references, cancellationToken);
        await WaitAsync(_refresh, cancellationToken);
        lock (_gate)
        {
            if (_facts is not null && _seen == _wanted && references.All(_facts.Images.ContainsKey))
                return new Fact<EngineFacts>.Known(_facts);
            return new Fact<EngineFacts>.Unknown(Silence ?? _failure ?? "The engine has not answered yet");
        }
    }

    private async Task WaitAsync(Task refresh, CancellationToken cancellationToken)
    {
        try
        {
            await refresh.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on, and wakes the loop when the engine has answered.
        }
    }

    private bool IsCurrent(IReadOnlyCollection<string> references)
    {
        lock (_gate)
            return _facts is not null && _seen == _wanted && references.All(_facts.Images.ContainsKey);
    }

    private async Task RefreshAsync(IReadOnlyCollection<string> references, CancellationToken cancellationToken)
    {
        var (asked, current) = Begin();
        try
        {
            var listing = current is null ? engine.ListContainersAsync(labels, cancellationToken) : null;
            var missing = references.Where(reference => current is null || !current.Images.ContainsKey(reference));
            var finding = Task.WhenAll(missing.Select(async reference => KeyValuePair.Create(reference, await FindImageAsync(reference, cancellationToken))));
            await Task.WhenAll(listing ?? Task.CompletedTask, finding);
            var containers = listing is null ? current!.Containers : [.. OwnedOf(await listing)];
            Accept(new EngineFacts(containers, new Dictionary<string, EngineImage?>([.. current?.Images ?? NoImages, .. await finding], StringComparer.Ordinal)), asked);
        }
        catch (EngineException exception)
        {
            lock (_gate)
                _failure = exception.Message;
        }

        wake();
    }

    // Facts that are up to date are kept: then only the images that they lack are asked for.
    private (long Asked, EngineFacts? Current) Begin()
    {
        lock (_gate)
        {
            _waitingSince ??= time.GetTimestamp();
            return (_wanted, _seen == _wanted ? _facts : null);
        }
    }

    private static IEnumerable<OwnedContainer> OwnedOf(IEnumerable<EngineContainer> containers) =>
        from container in containers
        let identity = ContainerLabels.Read(container.Labels)
        where identity is not null
        select new OwnedContainer(container, identity);

    // What is no image reference at all is absent, too: the pull then says so, and only the release that names it is rejected.
    private async Task<EngineImage?> FindImageAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.InspectImageAsync(reference, cancellationToken);
        }
        catch (EngineException exception) when (exception.Fault == EngineFault.BadRequest)
        {
            return null;
        }
    }

    private void Accept(EngineFacts facts, long asked)
    {
        lock (_gate)
        {
            _facts = facts;
            _seen = asked;
            _failure = null;
            _waitingSince = null;
        }
    }
}

/// <summary>What the engine said.</summary>
/// <param name="Containers">Every container of the application and installation.</param>
/// <param name="Images">The images that were asked for; absent ones are <see langword="null"/>.</param>
internal sealed record EngineFacts(IReadOnlyList<OwnedContainer> Containers, IReadOnlyDictionary<string, EngineImage?> Images);

/// <summary>A container that carries our labels.</summary>
/// <param name="Container">What the engine says of it.</param>
/// <param name="Identity">What its labels say.</param>
internal sealed record OwnedContainer(EngineContainer Container, ContainerIdentity Identity);
