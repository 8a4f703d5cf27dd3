using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>What the S3 store makes of a server that fails, played in this process.</summary>
public sealed class S3FaultTests
{
    private const string Key = "shop/current.json";
    private const string Secret = "the-secret-key";
    private static readonly TimeSpan ShortDeadline = TimeSpan.FromMilliseconds(300);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(404, "NoSuchBucket", "NotFound", "Create the bucket")]
    [InlineData(404, "", "NotFound", "Is this the endpoint of an S3 server?")]
    [InlineData(301, "PermanentRedirect", "NotFound", "another region")]
    [InlineData(403, "RequestTimeTooSkewed", "ClockSkew", "synchronise it")]
    [InlineData(403, "SignatureDoesNotMatch", "AccessDenied", "Correct access key")]
    [InlineData(403, "InvalidAccessKeyId", "AccessDenied", "Correct access key")]
    [InlineData(400, "ExpiredToken", "AccessDenied", "Renew the session token")]
    [InlineData(403, "AccessDenied", "AccessDenied", "right to read")]
    [InlineData(403, "UserSuspended", "AccessDenied", "right to read")]
    [InlineData(503, "SlowDown", "Unavailable", "overloaded")]
    [InlineData(500, "InternalError", "Unavailable", "Trying again")]
    [InlineData(408, "RequestTimeout", "Unavailable", "Trying again")]
    public async Task Read_that_is_refused_says_what_it_means(int status, string code, string fault, string advice)
    {
        using var server = new CannedServer(_ => CannedServer.Error(status, code));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store));

        Assert.Equal(fault, failure.Fault.ToString());
        Assert.Contains($"Read of s3://bucket/{Key} at {server.Url.AbsoluteUri.TrimEnd('/')} failed", failure.Message);
        Assert.Contains(status.ToString(CultureInfo.InvariantCulture), failure.Message);
        Assert.Contains("What was read before still holds.", failure.Message);
        Assert.Contains(advice, failure.Message);
        Assert.DoesNotContain(Secret, failure.ToString());
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(412, "PreconditionFailed")]
    [InlineData(409, "ConditionalRequestConflict")]
    [InlineData(404, "NoSuchKey")]
    public async Task Conditional_write_whose_condition_does_not_hold_is_no_error(int status, string code)
    {
        using var server = new CannedServer(_ => CannedServer.Error(status, code));
        using var store = Open(server.Url);

        Assert.Null(await WriteAsync(store, PutCondition.Matches("e0")));
    }

    [Theory]
    [InlineData(503, "SlowDown", "Unavailable", "Nothing was changed.")]
    [InlineData(403, "AccessDenied", "AccessDenied", "Nothing was changed.")]
    [InlineData(403, "QuotaExceeded", "NotWritable", "Nothing was changed.")]
    [InlineData(404, "NoSuchBucket", "NotFound", "Nothing was changed.")]
    [InlineData(409, "OperationAborted", "Unavailable", "Nothing was changed.")]
    [InlineData(500, "InternalError", "Ambiguous", "read again and compare")]
    public async Task Write_that_is_refused_says_whether_it_may_have_happened(int status, string code, string fault, string holds)
    {
        using var server = new CannedServer(_ => CannedServer.Error(status, code));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => WriteAsync(store, PutCondition.None));

        Assert.Equal(fault, failure.Fault.ToString());
        Assert.Contains(holds, failure.Message);
        Assert.Single(server.Requests, line => line.StartsWith("PUT ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ours", true)]
    [InlineData("theirs", false)]
    public async Task Write_without_a_usable_answer_counts_as_done_if_the_object_is_what_was_written(string found, bool done)
    {
        using var server = new CannedServer(line => line.StartsWith("PUT ", StringComparison.Ordinal)
            ? CannedServer.Error(500, "InternalError")
            : CannedServer.Answer("200 OK", found));
        using var store = Open(server.Url);

        if (done)
        {
            Assert.Equal(CannedServer.ETagOf("ours"), await WriteAsync(store, PutCondition.Absent));
        }
        else
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => WriteAsync(store, PutCondition.Absent));
            Assert.Equal(StoreFault.Ambiguous, failure.Fault);
        }
    }

    [Fact]
    public async Task Server_that_never_answers_ends_a_read_at_the_deadline()
    {
        using var server = new CannedServer(_ => null);
        using var store = Open(server.Url, ShortDeadline);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
        Assert.Contains("within 0.3 s", failure.Message);
        await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync(null, Key, Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
        await Assert.ThrowsAsync<StoreException>(() => store.ListAsync("shop/", 10, Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
    }

    [Fact]
    public async Task Server_that_never_answers_leaves_a_write_ambiguous()
    {
        using var server = new CannedServer(_ => null);
        using var store = Open(server.Url, ShortDeadline);

        var failure = await Assert.ThrowsAsync<StoreException>(() => WriteAsync(store, PutCondition.Absent).WaitAsync(TimeSpan.FromSeconds(10), Cancellation));

        Assert.Equal(StoreFault.Ambiguous, failure.Fault);
    }

    [Fact]
    public async Task Cancelling_a_call_to_a_hung_server_is_cancellation_not_a_fault()
    {
        using var server = new CannedServer(_ => null);
        using var store = Open(server.Url);
        using var cancel = new CancellationTokenSource();

        var read = store.GetAsync(Key, null, 1000, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
    }

    [Fact]
    public async Task Unreachable_server_fails_at_once_and_a_write_to_it_has_not_happened()
    {
        using var store = Open(UnusedAddress());

        var read = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store).WaitAsync(TimeSpan.FromSeconds(2), Cancellation));
        var write = await Assert.ThrowsAsync<StoreException>(() => WriteAsync(store, PutCondition.Absent).WaitAsync(TimeSpan.FromSeconds(2), Cancellation));

        Assert.Equal((StoreFault.Unavailable, StoreFault.Unavailable), (read.Fault, write.Fault));
        Assert.Contains("it wasn't reached", read.Message);
        Assert.Contains("Nothing was changed.", write.Message);
    }

    [Fact]
    public async Task Body_that_does_not_match_its_etag_is_never_taken_for_the_document()
    {
        using var server = new CannedServer(_ => CannedServer.Answer("200 OK", "altered")
            .Replace(CannedServer.ETagOf("altered"), CannedServer.ETagOf("original"), StringComparison.Ordinal));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
        Assert.Contains("broke off or was altered", failure.Message);
    }

    [Fact]
    public async Task Source_of_credentials_that_hangs_is_bounded_by_the_deadline_too()
    {
        using var end = new ManualResetEventSlim();
        using var store = S3Store.Open(
            "bucket", new StoreOptions { Endpoint = UnusedAddress(), PathStyle = true, CallDeadline = ShortDeadline, Credentials = new HangingCredentials(end) });
        try
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));

            Assert.Equal(StoreFault.Unavailable, failure.Fault);
        }
        finally
        {
            end.Set();
        }
    }

    [Fact]
    public async Task Truncated_answer_is_never_taken_for_the_document()
    {
        using var server = new CannedServer(_ => CannedServer.Answer("200 OK", "{ \"Revision\":", missingBytes: 10));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
    }

    [Fact]
    public async Task Answer_that_is_no_s3_answer_is_a_fault_not_a_crash()
    {
        using var server = new CannedServer(_ => CannedServer.Answer("200 OK", "x").Replace(CannedServer.ETagOf("x"), "odd", StringComparison.Ordinal));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
        Assert.Contains("couldn't be understood", failure.Message);
    }

    [Fact]
    public async Task Truncated_stream_ends_with_an_error()
    {
        using var server = new CannedServer(_ => CannedServer.Answer("200 OK", "half", missingBytes: 4));
        using var store = Open(server.Url);

        await using var stream = await store.OpenAsync(null, Key, Cancellation);

        await Assert.ThrowsAnyAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Cancellation));
    }

    [Fact]
    public async Task Stream_that_stalls_ends_with_an_error()
    {
        using var server = new CannedServer(_ => CannedServer.Answer("200 OK", "half", missingBytes: 4), closes: false);
        var time = new FakeTimeProvider();
        using var store = Open(server.Url, ShortDeadline, time);
        await using var stream = await store.OpenAsync(null, Key, Cancellation);

        var reading = stream.CopyToAsync(Stream.Null, Cancellation);
        await Eventually.HoldsAsync("the read ends", () =>
        {
            time.Advance(ShortDeadline);
            return reading.IsCompleted;
        });

        var failure = await Assert.ThrowsAnyAsync<IOException>(() => reading);
        Assert.Contains("within 0.3 s", failure.Message);
    }

    [Theory]
    [InlineData(307)]
    [InlineData(302)]
    public async Task Redirect_to_another_host_is_not_followed(int status)
    {
        using var stranger = new CannedServer(_ => CannedServer.Answer("200 OK", "forged"));
        using var server = new CannedServer(_ => CannedServer.Answer($"{status} Moved", "", $"Location: {stranger.Url}bucket/{Key}\r\n"));
        using var store = Open(server.Url);

        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(store));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
        Assert.Contains("redirects", failure.Message);
        Assert.Empty(stranger.Requests);
    }

    [Fact]
    public async Task Poll_interval_is_spread_by_a_fifth_to_either_side()
    {
        var time = new FakeTimeProvider();
        using var store = S3Store.Open("bucket", new StoreOptions { Region = "us-east-1", Time = time, Jitter = new Random(7), PollInterval = TimeSpan.FromSeconds(5) });

        var waits = Enumerable.Range(0, 1000).Select(_ => store.WaitForChangeAsync(Key, Cancellation)).ToArray();
        var ended = new List<int>();
        for (var tenth = 0; tenth < 65; tenth++)
        {
            ended.Add(waits.Count(wait => wait.IsCompleted));
            time.Advance(TimeSpan.FromSeconds(0.1));
        }

        await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
        Assert.Equal(0, ended[39]);
        Assert.InRange(ended[50], 400, 600);
        Assert.Equal(1000, ended[61]);
    }

    private static S3Store Open(Uri endpoint, TimeSpan? deadline = null, TimeProvider? time = null) => S3Store.Open("bucket", new StoreOptions
    {
        Endpoint = endpoint,
        PathStyle = true,
        Credentials = new BasicAWSCredentials("access", Secret),
        CallDeadline = deadline ?? TimeSpan.FromSeconds(10),
        Time = time ?? TimeProvider.System,
    });

    private static Task<StoreRead> ReadAsync(S3Store store) => store.GetAsync(Key, null, 1000, Cancellation);

    private static Task<string?> WriteAsync(S3Store store, PutCondition condition) =>
        store.PutAsync(Key, ObjectStoreTests.Bytes("ours"), condition, Cancellation);

    private static Uri UnusedAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    /// <summary>Blocks, as the lookup of an instance's credentials does, whatever is cancelled.</summary>
    private sealed class HangingCredentials(ManualResetEventSlim end) : AWSCredentials
    {
        public override ImmutableCredentials GetCredentials() => Await();

        public override Task<ImmutableCredentials> GetCredentialsAsync() => Task.FromResult(Await());

        private ImmutableCredentials Await()
        {
            end.Wait();
            return new ImmutableCredentials("key", "secret", null);
        }
    }
}
