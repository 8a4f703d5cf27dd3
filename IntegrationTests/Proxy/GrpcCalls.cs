using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The methods of a service of gRPC, and how an application carries them out. Messages are texts.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "The server takes virtual methods only.")]
[BindServiceMethod(typeof(GrpcCalls), nameof(Bind))]
internal class GrpcCalls(GrpcBackend application)
{
    private static readonly Marshaller<string> Text = new(System.Text.Encoding.UTF8.GetBytes, System.Text.Encoding.UTF8.GetString);

    /// <summary>Sends the message back behind the application's name, with a header and a trailer; <c>fail</c>, <c>crash</c> and <c>wait</c> are carried out.</summary>
    public static Method<string, string> Ask { get; } = MethodOf(MethodType.Unary, nameof(Ask));

    /// <summary>Answers with the messages that the test lets go, until it ends them.</summary>
    public static Method<string, string> Listen { get; } = MethodOf(MethodType.ServerStreaming, nameof(Listen));

    /// <summary>Answers with all messages together.</summary>
    public static Method<string, string> Join { get; } = MethodOf(MethodType.ClientStreaming, nameof(Join));

    /// <summary>Sends each message back.</summary>
    public static Method<string, string> Talk { get; } = MethodOf(MethodType.DuplexStreaming, nameof(Talk));

    public static void Bind(ServiceBinderBase binder, GrpcCalls? service)
    {
        binder.AddMethod(Ask, service is null ? null! : service.AskAsync);
        binder.AddMethod(Listen, service is null ? null! : service.ListenAsync);
        binder.AddMethod(Join, service is null ? null! : service.JoinAsync);
        binder.AddMethod(Talk, service is null ? null! : service.TalkAsync);
    }

    private static Method<string, string> MethodOf(MethodType type, string name) => new(type, "test.Calls", name + "Async", Text, Text);

    public virtual async Task<string> AskAsync(string message, ServerCallContext context)
    {
        application.Begin(context);
        await context.WriteResponseHeadersAsync(new Metadata { { "x-name", application.Name } });
        context.ResponseTrailers.Add("x-length", $"{message.Length}");
        context.ResponseTrailers.Add("x-sum-bin", [1, 0, 255]);
        switch (message)
        {
            case "fail":
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "not today: \u00e4 %"), new Metadata { { "x-reason", "weather" } });
            case "crash":
                context.GetHttpContext().Abort();
                break;
            case "wait":
                await application.Released.WaitAsync(context.CancellationToken);
                break;
        }

        return $"{application.Name}:{message}";
    }

    public virtual async Task ListenAsync(string message, IServerStreamWriter<string> answers, ServerCallContext context)
    {
        application.Begin(context);
        try
        {
            await foreach (var answer in application.Messages.Reader.ReadAllAsync(context.CancellationToken))
            {
                await answers.WriteAsync(answer, context.CancellationToken);
            }
        }
        finally
        {
            application.End();
        }
    }

    public virtual async Task<string> JoinAsync(IAsyncStreamReader<string> messages, ServerCallContext context)
    {
        application.Begin(context);
        var all = new System.Text.StringBuilder();
        while (await messages.MoveNext(context.CancellationToken))
        {
            all.Append(messages.Current);
        }

        return all.ToString();
    }

    public virtual async Task TalkAsync(IAsyncStreamReader<string> messages, IServerStreamWriter<string> answers, ServerCallContext context)
    {
        application.Begin(context);
        while (await messages.MoveNext(context.CancellationToken))
        {
            await answers.WriteAsync($"{application.Name}:{messages.Current}", context.CancellationToken);
        }
    }
}
