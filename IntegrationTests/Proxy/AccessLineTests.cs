using System.Text;
using System.Text.Json;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Clients;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Lines of the access log, character for character.</summary>
public class AccessLineTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 7, 9, 5, 4, 32, TimeSpan.Zero);

    [Fact]
    public void Combined_line_has_the_usual_fields_and_ours_behind_them()
    {
        var entry = new AccessEntry
        {
            At = At,
            Id = new RequestId("id-1"),
            Client = "192.0.2.1",
            Method = "GET",
            Host = "shop.example",
            Path = "/cart",
            Protocol = "HTTP/1.1",
            Referer = "https://a.example/",
            UserAgent = "curl/8.5.0",
            Status = 200,
            BytesIn = 7,
            BytesOut = 512,
            Duration = TimeSpan.FromMicroseconds(12_345),
            UpstreamHead = TimeSpan.FromMicroseconds(9),
            Upstream = TimeSpan.FromMicroseconds(12_000),
            Application = "shop",
            Revision = "2f1c9e0",
        };

        Assert.Equal(
            "192.0.2.1 - - [07/Mar/2026:09:05:04 +0000] \"GET /cart HTTP/1.1\" 200 512 \"https://a.example/\" \"curl/8.5.0\" id-1 \"shop.example\" \"shop\" \"2f1c9e0\" 7 12.345 0.009 12.000\n",
            Line(AccessLogFormat.Combined, entry));
    }

    [Fact]
    public void Combined_line_has_hyphens_where_there_is_nothing_to_say() => Assert.Equal(
        "- - - [07/Mar/2026:09:05:04 +0000] \"GET / HTTP/2\" 503 0 \"-\" \"-\" id-1 \"-\" \"-\" \"-\" 0 0.000 - -\n",
        Line(AccessLogFormat.Combined, Little()));

    [Fact]
    public void Json_line_has_all_members_and_null_where_there_is_nothing_to_say() => Assert.Equal(
        """{"time":"2026-03-07T09:05:04.032Z","request_id":"id-1","client":null,"method":"GET","host":null,"path":"/","protocol":"HTTP/2","status":503,"bytes_in":0,"bytes_out":0,"duration_ms":0.000,"upstream_head_ms":null,"upstream_ms":null,"application":null,"revision":null,"referer":null,"user_agent":null}""" + "\n",
        Line(AccessLogFormat.Json, Little()));

    [Theory]
    [InlineData("a\"b\\c", "a\\x22b\\x5cc")]
    [InlineData("tab\there", "tab\\x09here")]
    [InlineData("\xFC\x7F", "\\xfc\\x7f")]
    public void No_text_of_a_client_ends_a_field_or_a_line(string agent, string combined)
    {
        var entry = new AccessEntry { At = At, Id = new RequestId("id-1"), Method = "GET", Path = "/", Protocol = "HTTP/1.1", UserAgent = agent, Host = agent, Application = agent };

        Assert.Contains($" \"{combined}\" id-1 \"{combined}\" \"{combined}\" ", Line(AccessLogFormat.Combined, entry), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(Line(AccessLogFormat.Json, entry));
        Assert.Equal([agent, agent, agent], new[] { "user_agent", "host", "application" }.Select(name => json.RootElement.GetProperty(name).GetString()));
    }

    [Fact]
    public void Line_of_the_longest_and_oddest_texts_stays_within_its_bound()
    {
        var odd = new string('\xFF', 100_000);
        var entry = new AccessEntry
        {
            At = At,
            Id = new RequestId(new string('a', RequestId.MaxLength)),
            Client = "2001:0db8:0000:0000:0000:0000:0000:0001",
            Method = odd.AsSpan(0, 100),
            Host = odd,
            Path = odd,
            Protocol = "HTTP/1.1",
            Referer = odd,
            UserAgent = odd,
            Status = 999,
            BytesIn = long.MaxValue,
            BytesOut = long.MaxValue,
            Duration = TimeSpan.MaxValue,
            UpstreamHead = TimeSpan.MaxValue,
            Upstream = TimeSpan.MaxValue,
            Application = odd.AsSpan(0, 64),
            Revision = odd.AsSpan(0, 128),
        };

        Assert.InRange(AccessLine.BoundOf(entry), 0, 32 << 10);
        Assert.EndsWith("}\n", Line(AccessLogFormat.Json, entry), StringComparison.Ordinal);
        Assert.EndsWith("\n", Line(AccessLogFormat.Combined, entry), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Line_is_written_without_allocating(bool isJson)
    {
        var format = isJson ? AccessLogFormat.Json : AccessLogFormat.Combined;
        var bytes = new byte[8 << 10];
        _ = AccessLine.Write(format, Little(), bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();

        _ = AccessLine.Write(format, Little(), bytes);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static AccessEntry Little() => new() { At = At, Id = new RequestId("id-1"), Method = "GET", Path = "/", Protocol = "HTTP/2", Status = 503 };

    private static string Line(AccessLogFormat format, in AccessEntry entry)
    {
        var bytes = new byte[AccessLine.BoundOf(entry)];
        return Encoding.ASCII.GetString(bytes.AsSpan(0, AccessLine.Write(format, entry, bytes)));
    }
}
