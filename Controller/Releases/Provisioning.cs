using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Brings a release's image here and creates its container, within the bound on containers.</summary>
internal static class Provisioning
{
    public static Step? Step(Situation s, string row, ContainerRef container, string reason)
    {
        if (s.ConfigurationOf(container.Hash) is null)
            return null;
        switch (s.Seen.Images.GetValueOrDefault(container.Hash))
        {
            case Fact<string>.Known { Value.Length: 0 }:
                return Pull(s, row, container, reason);
            case Fact<string>.Known image:
                return Create(s, row, container, image.Value, reason);
            case Fact<string>.Unknown unknown:
                s.Note(unknown.Reason);
                return null;
            default:
                s.Note($"The image of {container.Name} is being looked for");
                return null;
        }
    }

    /// <summary>Whether the name or the address of a container turned out to be another's.</summary>
    public static bool IsTaken(EffectFailure failure) => failure is { Outcome: Outcome.Refused, Effect: Effect.Create or Effect.Start };

    private static Step? Pull(Situation s, string row, ContainerRef container, string reason)
    {
        var reference = s.Seen.References[container.Hash];
        var image = new OwnedImage(container.Hash, reference);
        var journal = s.Journal.Images.Contains(image) ? null : s.Journal with { Images = s.Journal.Images.Add(image) };
        return s.Try(row, $"{reason}, and its image isn't here", new Effect.Pull(container.Hash, reference), journal);
    }

    private static Step? Create(Situation s, string row, ContainerRef container, string imageId, string reason)
    {
        // One that is being created may not be listed yet.
        var creating = s.Seen.Working.Count(e => e is Effect.Create create && create.Container != container && s.Find(create.Container) is null);
        if (s.Containers.Count + creating < s.Settings.MaxContainers)
            return s.Try(row, reason, new Effect.Create(container, imageId));
        if (s.Journal.Retained is { } retained && s.Find(retained) is not null)
            return new Step(row, "The retained release makes room") { Journal = s.Journal with { Retained = null } };
        if (s.Journal.Candidates.FirstOrDefault(c => c.Goal == CandidateGoal.Standby && s.Find(c.Ref) is not null) is { } standby)
            return new Step(row, "The oldest standby makes room") { Journal = s.Journal.Without(standby.Ref) };
        s.Note($"{s.Settings.MaxContainers} containers exist; one of them has to go first");
        return null;
    }
}
