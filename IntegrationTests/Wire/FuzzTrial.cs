using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Sends bytes through a lane and compares three accounts: what the bytes mean, what reached the application, and what the client saw.</summary>
internal sealed class FuzzTrial
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(15);

    private readonly Lane _lane;
    private readonly ConcurrentQueue<StrictMessage> _arrived = new();

    public FuzzTrial(Lane lane)
    {
        _lane = lane;
        lane.Application.Note = (request, _) =>
        {
            if (request.IsWhole)
            {
                _arrived.Enqueue(request);
            }

            return "";
        };
    }

    /// <returns>Where the accounts differ; absent: nowhere.</returns>
    public async Task<string?> DisagreementAsync(string sent)
    {
        _arrived.Clear();
        var first = _lane.Application.Requests + 1;
        var bytes = Encoding.Latin1.GetBytes(sent);
        var meant = ClientsRequests.Read(bytes);
        try
        {
            var seen = await ExchangeAsync(bytes, meant);
            return _lane.Application.TakeArrived().FirstOrDefault(line => line.StartsWith("not HTTP", StringComparison.Ordinal))
                ?? Compare([.. meant.Requests.Where(request => request.Target != "*")], [.. _arrived])
                ?? CompareAnswers(seen, first, _arrived.Count)
                ?? RequireReason(meant, seen);
        }
        catch (Exception e) when (e is NotStrictException or TimeoutException)
        {
            return $"The client saw: {e.Message}";
        }
    }

    private async Task<Seen> ExchangeAsync(byte[] bytes, ClientsRequests meant)
    {
        using var client = await WireConnection.ConnectAsync(_lane.Proxy.Address);
        await client.SendAsync(bytes);
        var seen = await WireClient.ReadAsync(client, meant.Methods, meant.Requests.Count);
        if (meant.RestMethod is not null)
        {
            // What follows is nothing that could be answered but by a refusal; or the Proxy waits for more of it, for ever.
            await PauseAsync(client);
        }

        client.EndSending();
        var rest = await WireClient.ReadAsync(client, [.. meant.Methods.Skip(seen.Answers.Count(answer => answer.Status >= 200))]);
        return new Seen([.. seen.Answers, .. rest.Answers], seen.Rest + rest.Rest);
    }

    private static async Task PauseAsync(WireConnection client)
    {
        try
        {
            while (!client.HasEnded && !client.IsBroken && await client.ReceiveAsync(Patience))
            {
            }
        }
        catch (TimeoutException)
        {
            // It waits for more.
        }
    }

    // What arrived is a beginning of what was meant, in the same order, and nothing else.
    private static string? Compare(IReadOnlyList<StrictMessage> meant, IReadOnlyList<StrictMessage> arrived)
    {
        if (arrived.Count > meant.Count)
        {
            return $"{meant.Count} requests were meant, {arrived.Count} arrived: {arrived[^1].Start}";
        }

        return meant.Zip(arrived, Compare).FirstOrDefault(difference => difference is not null);
    }

    private static string? Compare(StrictMessage meant, StrictMessage arrived)
    {
        if (meant.Method != arrived.Method || OriginForm(meant.Target) != arrived.Target)
        {
            return $"'{meant.Start}' was meant, '{arrived.Start}' arrived";
        }

        if (meant.Body != arrived.Body)
        {
            return $"the body '{meant.Body}' was meant, '{arrived.Body}' arrived";
        }

        return Foreign([.. arrived.Fields.Where(field => !IsOwn(field, meant))], meant.Fields) ?? Foreign(arrived.Trailers, meant.Trailers);
    }

    private static string OriginForm(string target)
    {
        if (target.StartsWith('/'))
        {
            return target;
        }

        var rest = target[(target.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var origin = rest.AsSpan().IndexOfAny('/', '?') is >= 0 and var path ? rest[path..] : "";
        return origin.StartsWith('/') ? origin : "/" + origin;
    }

    private static bool IsOwn(Field field, StrictMessage meant) =>
        field.Name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)
        || field.Is("X-Real-IP") || field.Is("X-Request-Id") || field.Is("X-Request-Start")
        || (field.Is("Host") && meant.Value("Host") is null)
        || field.Is("Content-Length") || field.Is("Transfer-Encoding") || field.Is("Connection") || field.Is("TE");

    private static string? Foreign(IReadOnlyList<Field> arrived, IReadOnlyList<Field> meant) =>
        arrived.Where(field => Letters(arrived, field.Name) != Letters(meant, field.Name)).Select(field => $"'{field.Name}: {field.Value}' arrived and was not meant").FirstOrDefault();

    // Lines of one name may be joined, with or without a comma.
    private static string Letters(IReadOnlyList<Field> fields, string name) =>
        string.Concat(fields.Where(field => field.Is(name)).SelectMany(field => field.Value).Where(c => c is not (' ' or '\t' or ',' or ';')));

    private static string? CompareAnswers(Seen seen, int first, int arrived)
    {
        var numbers = seen.Answers.Select(answer => answer.Value("X-Number")).OfType<string>().Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToList();
        return numbers.SequenceEqual(Enumerable.Range(first, arrived)) ? null : $"the requests from {first} on arrived, {arrived} of them, and answers to {string.Join(", ", numbers)} came back";
    }

    // A request that was meant and not answered was refused, or came behind one after which the connection closes.
    private static string? RequireReason(ClientsRequests meant, Seen seen)
    {
        var answers = seen.Answers.Where(answer => answer.Status >= 200).ToList();
        if (answers.Count >= meant.Requests.Count || answers.Any(answer => answer.Status >= 400) || seen.Rest is not "")
        {
            return null;
        }

        var last = answers.Count == 0 ? null : meant.Requests[answers.Count - 1];
        var closes = last is not null && (last.Start.EndsWith("1.0", StringComparison.Ordinal) || last.Fields.Any(field => field.Is("Connection") && field.Value.Contains("close", StringComparison.OrdinalIgnoreCase)));
        return closes ? null : $"{meant.Requests.Count} requests were meant, {answers.Count} answers came: {seen.Statuses}";
    }
}
