namespace Wunderproxy.Contracts.Admin;

/// <summary>What a hook is told: JSON body of a webhook, standard input of a program.</summary>
/// <param name="Application">Name of the application.</param>
/// <param name="Host">Name of the host.</param>
/// <param name="Delivery">Its own for each event of each host, and the same however often it is told, as after a restart of the Controller: whoever has it already can pass it over. 32 hex digits.</param>
/// <param name="Event">What happened: the end of a deployment, or a move of traffic.</param>
public sealed record HookCall(string Application, string Host, string Delivery, HostEvent Event);
