namespace Wunderproxy.Controller.Journaling;

/// <summary>Moves the times of a journal along when the clock is set. Those that the engine told stay: they identify runs.</summary>
internal static class JournalTimes
{
    extension(Journal journal)
    {
        /// <summary>The journal by the new clock. Ends and failures keep the time at which they were noted.</summary>
        /// <param name="jump">How the clock was set.</param>
        /// <param name="startOf">
        /// Since when a container runs, as far as is known. A candidate's time counts from there on, for the start itself keeps the time of the former clock; one that isn't known to run has all of it.
        /// </param>
        public Journal MovedBy(ClockJump jump, Func<ContainerRef, DateTimeOffset?>? startOf = null) => journal with
        {
            Desired = journal.Desired is { } desired ? desired with { At = jump.Move(desired.At) } : null,
            Pin = journal.Pin is { } pin ? pin with { At = jump.Move(pin.At) } : null,
            Active = journal.Active is { } active ? active with { Since = jump.Move(active.Since) } : null,
            Candidates = [.. journal.Candidates.Select(c => c with { Since = startOf?.Invoke(c.Ref) is { } start ? jump.Move(start > c.Since ? start : c.Since) : jump.Now })],
            Switch = journal.Switch is { } intent ? intent with { At = jump.Move(intent.At) } : null,
            Drains = [.. journal.Drains.Select(d => d with { Since = jump.Move(d.Since), WarmUntil = jump.Move(d.WarmUntil), Deadline = jump.Move(d.Deadline) })],
            Attempts = [.. journal.Attempts.Select(a => a with { BackoffUntil = jump.Move(a.BackoffUntil) })],
            Crashes = journal.Crashes is { } crashes ? crashes with { BackoffUntil = jump.Move(crashes.BackoffUntil) } : null,
            Deployments = [.. journal.Deployments.Select(d => d.End is null ? d with { AcceptedAt = jump.Move(d.AcceptedAt), Deadline = jump.Move(d.Deadline) } : d)],
        };

        /// <summary>The journal as it counts from now on: where it was written by a clock that was ahead of this one, its times move back.</summary>
        public Journal AsOf(DateTimeOffset now)
        {
            var newest = journal.Noted.DefaultIfEmpty(now).Max();
            return newest > now ? journal.MovedBy(new ClockJump(now, now - newest)) : journal;
        }

        /// <summary>Times that had come when they were noted, and that move along: an end keeps the time of a clock that was set back since.</summary>
        private IEnumerable<DateTimeOffset> Noted =>
        [
            .. journal.Candidates.Select(c => c.Since),
            .. journal.Drains.Select(d => d.Since),
            .. journal.Deployments.Where(d => d.End is null).Select(d => d.AcceptedAt),
            .. new[] { journal.Desired?.At, journal.Pin?.At, journal.Active?.Since, journal.Switch?.At }.OfType<DateTimeOffset>(),
        ];
    }
}
