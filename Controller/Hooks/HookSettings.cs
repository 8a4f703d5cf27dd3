namespace Wunderproxy.Controller.Hooks;

/// <summary>Who is told of ends and switches.</summary>
/// <param name="Webhooks">Addresses that each call is posted to.</param>
/// <param name="Programs">Absolute paths of programs that are run for each call.</param>
/// <param name="Secret">Key of the webhooks' signatures; absent where there are no webhooks.</param>
internal sealed record HookSettings(IReadOnlyList<Uri> Webhooks, IReadOnlyList<string> Programs, HookSecret? Secret);
