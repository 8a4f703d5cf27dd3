using System.Text;
using System.Text.Json;
using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class HistoryTests
{
    [Fact]
    public void History_reads_back_as_it_was_written()
    {
        var written = History.Empty.Append(Entry(1)).Append(Entry(2)).Write();
        Assert.EndsWith("]\n", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        Assert.Equal([Entry(1), Entry(2)], History.Read(written).Entries);
    }

    [Fact]
    public void Only_the_last_hundred_deployments_are_kept_oldest_first()
    {
        var history = Enumerable.Range(1, 105).Aggregate(History.Empty, (h, i) => h.Append(Entry(i)));
        Assert.Equal(Enumerable.Range(6, 100).Select(Entry), history.Entries);
    }

    [Theory]
    [InlineData("null\n", 0)]
    [InlineData("[]", 0)]
    [InlineData("""[{ "revision": "a", "DeployedAt": "2015-06-02T08:00:00Z", "Other": [1] }]""", 1)]
    public void Document_of_another_program_is_read_tolerantly(string json, int entries) =>
        Assert.Equal(entries, History.Read(Encoding.UTF8.GetBytes(json)).Entries.Count);

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[null]")]
    [InlineData("""[{ "Revision": "a", "DeployedAt": "yesterday" }]""")]
    public void What_is_no_history_is_an_error_and_not_an_empty_one(string json) =>
        Assert.ThrowsAny<JsonException>(() => History.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Document_above_the_cap_is_refused() => Assert.Throws<JsonException>(() => History.Read(new byte[History.MaxBytes + 1]));

    private static HistoryEntry Entry(int i) =>
        new($"r{i}", new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(i), "ci", "d41d8cd98f00b204e9800998ecf8427e");
}
