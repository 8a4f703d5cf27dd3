using System.Net;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What a client saw on one connection.</summary>
/// <param name="Answers">Answers in their order, each whole but perhaps the last.</param>
/// <param name="Rest">Bytes behind the last answer.</param>
internal sealed record Seen(IReadOnlyList<StrictMessage> Answers, string Rest)
{
    /// <summary>The status of each answer; <c>~</c>: it broke off; <c>?</c>: what followed wasn't HTTP/1.</summary>
    public string Statuses => string.Join(' ', [.. Answers.Select(answer => answer.Status + (answer.IsWhole ? "" : "~")), .. Rest is "" ? (string[])[] : ["?"]]);
}

/// <summary>A client that sends what it is told and reads the answers strictly.</summary>
internal static class WireClient
{
    /// <summary>Reads answers until the connection is over, or so many are whole.</summary>
    /// <param name="connection">Where the requests were sent.</param>
    /// <param name="methods">The methods of the requests in their order; the last one stands for all further ones.</param>
    /// <param name="count">How many final answers to wait for; absent: all that come.</param>
    public static async Task<Seen> ReadAsync(WireConnection connection, IReadOnlyList<string> methods, int count = int.MaxValue)
    {
        var answers = new List<StrictMessage>();
        var final = 0;
        while (final < count)
        {
            var method = methods[Math.Min(final, methods.Count - 1)];
            var answer = StrictReader.ReadAnswer(connection.Unread, method, connection.HasEnded);
            if (answer is { IsWhole: true })
            {
                connection.Take(answer.Length);
                answers.Add(answer);
                final += answer.Status >= 200 ? 1 : 0;
            }
            else if (!await ReceiveAsync(connection, answer))
            {
                return Ended(connection, answers, method);
            }
        }

        return new Seen(answers, "");
    }

    private static async Task<bool> ReceiveAsync(WireConnection connection, StrictMessage? answer)
    {
        if (connection.HasEnded || connection.IsBroken)
        {
            return false;
        }

        // A body up to the end of the connection is whole only once that has come, so it is looked at again.
        return await connection.ReceiveAsync() || (answer is { Framing: Framing.EndOfConnection } && connection.HasEnded);
    }

    private static Seen Ended(WireConnection connection, List<StrictMessage> answers, string method) =>
        StrictReader.ReadAnswer(connection.Unread, method, hasEnded: false) is { } cut
            ? new Seen([.. answers, cut], "")
            : new Seen(answers, Encoding.Latin1.GetString(connection.Unread));
}
