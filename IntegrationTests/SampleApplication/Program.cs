using Wunderproxy.SampleApplication;

if (args is ["load", ..])
    return await LoadCommand.RunAsync(args[1..]);

var settings = Settings.FromEnvironment();
for (var line = 1; line <= settings.LogLines; line++)
    Console.WriteLine($"line {line}");
if (settings.CrashOnStart)
{
    // To the same stream as the lines before: the engine keeps the order of lines within a stream only.
    Console.WriteLine($"{settings.Version} crashes on start, as asked");
    return settings.ExitCode;
}

Memory.Allocate(settings.AllocateMegabytes);
await Task.Delay(settings.StartDelay, TimeProvider.System);

var application = SampleServer.Build(settings);
await application.StartAsync();
Console.WriteLine($"{settings.Version} listens on port {settings.Port}");
if (settings.ExitAfter is { } delay)
    _ = application.Services.GetRequiredService<Faults>().ExitAfterAsync(delay, settings.ExitCode);
await application.WaitForShutdownAsync();
Console.WriteLine($"{settings.Version} ended");
return 0;
