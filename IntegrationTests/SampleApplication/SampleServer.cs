namespace Wunderproxy.SampleApplication;

/// <summary>The server: which path is answered by what.</summary>
internal static class SampleServer
{
    public static WebApplication Build(Settings settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(settings.Port, listen => listen.Protocols = settings.Protocols);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.AddServerHeader = false;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Shutdown);
        builder.Services
            .AddSingleton(settings)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Health>()
            .AddSingleton<Traffic>()
            .AddSingleton<Pages>()
            .AddSingleton<Bodies>()
            .AddSingleton<Streams>()
            .AddSingleton<Faults>()
            .AddSingleton<Lifetime>()
            .AddSingleton<IHostLifetime>(services => services.GetRequiredService<Lifetime>());

        var application = builder.Build();
        application.Use(next => context => application.Services.GetRequiredService<Traffic>().CountAsync(context, next));
        application.UseWebSockets();
        var answers = Answers(application.Services);
        application.Run(context => Answer(answers, context.Request.Path.Value ?? "/")(context));
        return application;
    }

    // A table instead of routing: an unknown path is greeted as well, and the start stays quick.
    private static Dictionary<string, RequestDelegate> Answers(IServiceProvider services)
    {
        var pages = services.GetRequiredService<Pages>();
        var bodies = services.GetRequiredService<Bodies>();
        var streams = services.GetRequiredService<Streams>();
        var faults = services.GetRequiredService<Faults>();
        return new(StringComparer.Ordinal)
        {
            ["/"] = pages.HomeAsync,
            ["/status"] = services.GetRequiredService<Health>().AnswerAsync,
            ["/maintenance.html"] = pages.MaintenanceAsync,
            ["/stats"] = services.GetRequiredService<Traffic>().AnswerAsync,
            ["/slow"] = pages.SlowAsync,
            ["/code"] = pages.CodeAsync,
            ["/request"] = Pages.RequestAsync,
            ["/echo"] = Bodies.EchoAsync,
            ["/sink"] = Bodies.SinkAsync,
            ["/bytes"] = Bodies.BytesAsync,
            ["/drip"] = bodies.DripAsync,
            ["/abort"] = Bodies.AbortAsync,
            ["/half"] = Bodies.HalfAsync,
            ["/sse"] = streams.EventsAsync,
            ["/ws"] = streams.WebSocketAsync,
            ["/_ctl/health"] = faults.HealthAsync,
            ["/_ctl/exit"] = faults.ExitAsync,
            ["/_ctl/crash"] = Faults.CrashAsync,
            ["/_ctl/memory"] = Faults.MemoryAsync,
            ["/_ctl/ignore-sigterm"] = faults.IgnoreSigtermAsync,
        };
    }

    private static RequestDelegate Answer(Dictionary<string, RequestDelegate> answers, string path)
    {
        if (path.StartsWith("/request/", StringComparison.Ordinal))
            return answers["/request"];
        return answers.TryGetValue(path, out var answer) ? answer : answers["/"];
    }
}
