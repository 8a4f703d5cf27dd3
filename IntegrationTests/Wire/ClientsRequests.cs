using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What a client's bytes mean by the letter of HTTP/1.1, up to where they mean nothing.</summary>
/// <param name="Requests">Whole requests in their order.</param>
/// <param name="RestMethod">The method of what follows and is none, or isn't whole; absent: nothing follows.</param>
internal sealed record ClientsRequests(IReadOnlyList<StrictMessage> Requests, string? RestMethod)
{
    /// <summary>The methods by which answers are to be read.</summary>
    public IReadOnlyList<string> Methods => [.. Requests.Select(request => request.Method), RestMethod ?? "GET"];

    public static ClientsRequests Read(ReadOnlySpan<byte> bytes)
    {
        var requests = new List<StrictMessage>();
        try
        {
            while (bytes.Length > 0)
            {
                if (StrictReader.ReadClientsRequest(bytes) is not { IsWhole: true } request)
                {
                    return new ClientsRequests(requests, MethodOf(bytes));
                }

                requests.Add(request);
                bytes = bytes[request.Length..];
            }

            return new ClientsRequests(requests, null);
        }
        catch (NotStrictException)
        {
            return new ClientsRequests(requests, MethodOf(bytes));
        }
    }

    private static string MethodOf(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes.TrimStart("\r\n"u8)).Split(' ')[0];
}
