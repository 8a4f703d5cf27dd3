using System.Text.RegularExpressions;

namespace Wunderproxy.Controller.Docker;

/// <summary>The parts of an image reference such as <c>localhost:8080/shop:2f1c9e0</c>.</summary>
/// <param name="Repository">With its registry, as written.</param>
/// <param name="Tag">Absent where a digest is given.</param>
/// <param name="Digest"><c>sha256:…</c>, or absent.</param>
internal sealed partial record ImageReference(string Repository, string? Tag, string? Digest)
{
    /// <summary>What the engine calls the registry of a reference without one.</summary>
    public const string DockerHub = "docker.io";

    /// <summary>Host, and port if it has one: the first part when it looks like one.</summary>
    public string Registry
    {
        get
        {
            var slash = Repository.IndexOf('/', StringComparison.Ordinal);
            var first = slash < 0 ? "" : Repository[..slash];
            return first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" ? first : DockerHub;
        }
    }

    /// <summary>The digest where there is one, for it says more than the tag.</summary>
    public string TagOrDigest => Digest ?? Tag ?? "latest";

    /// <summary>Whether it may name another image tomorrow by convention: no digest, and no tag or <c>latest</c>.</summary>
    public bool IsMutable => TagOrDigest == "latest";

    /// <summary>Takes it apart; without tag and digest it means <c>latest</c>.</summary>
    /// <exception cref="EngineException"><see cref="EngineFault.BadRequest"/>: this isn't an image reference. The engine isn't asked, for the text would be part of a path.</exception>
    public static ImageReference Parse(string reference)
    {
        var match = Grammar().Match(reference);
        if (!match.Success || reference.Contains("..", StringComparison.Ordinal))
        {
            throw new EngineException(EngineFault.BadRequest, $"'{EngineFaults.Clean(reference)}' isn't an image reference; write it as registry/repository:tag.");
        }

        var digest = match.Groups["digest"] is { Success: true, Value: var d } ? d : null;
        var tag = match.Groups["tag"] is { Success: true, Value: var t } ? t : null;
        return new ImageReference(match.Groups["repository"].Value, tag ?? (digest is null ? "latest" : null), digest);
    }

    // sha256:… alone is an image id, which has the shape of repository:tag.
    [GeneratedRegex(@"^(?<repository>[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+(?=/))?(/[a-z0-9][a-z0-9._-]*)*)(:(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@(?<digest>[a-z0-9]+:[a-f0-9]{32,}))?\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Grammar();
}
