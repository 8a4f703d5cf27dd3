using System.Collections.Concurrent;
using System.Globalization;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Where what arrived differs from what was sent.</summary>
internal sealed class Differences
{
    private readonly ConcurrentQueue<string> _all = new();

    public bool IsEmpty => _all.IsEmpty;

    /// <summary>The seed that a request of a <see cref="RandomExchange"/> names.</summary>
    public static int SeedIn(StrictMessage request) => int.Parse(request.Value("X-Seed")!, CultureInfo.InvariantCulture);

    public void Add(string difference) => _all.Enqueue(difference);

    public void Compare(string what, string expected, string actual)
    {
        if (expected != actual)
        {
            var at = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
            Add($"{what} (begin there again with WUNDERPROXY_WIRE_SEED) from byte {at} on: {Around(expected, at)}\n  came as: {Around(actual, at)}");
        }
    }

    public void RequireNone() => Assert.True(IsEmpty, $"{_all.Count} differences, the first ones:\n" + string.Join("\n\n", _all.Take(3)));

    private static string Around(string text, int at)
    {
        var slice = text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)];
        return string.Concat(slice.Select(c => c is >= ' ' and <= '~' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}")));
    }
}
