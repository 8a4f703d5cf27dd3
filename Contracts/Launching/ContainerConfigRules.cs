using System.Globalization;
using System.Text.Json;

namespace Wunderproxy.Contracts.Launching;

/// <summary>What the Controller itself relies on in the engine's <c>ContainerConfig</c>.</summary>
internal static class ContainerConfigRules
{
    public static void Check(SourceText source, SourceValue? container, string revision)
    {
        if (container is null)
        {
            return;
        }

        CheckImage(source, container, revision);
        CheckEnvironment(source, container.Find("Env"));
        CheckExposedPorts(source, container.Find("ExposedPorts"));
        CheckStrangers(source, container);
    }

    /// <summary>The engine's own <c>StopTimeout</c> in whole seconds, which counts where <c>Stop.Timeout</c> is absent.</summary>
    public static TimeSpan? StopTimeout(SourceValue? container) =>
        container?.Find("StopTimeout") is { Kind: JsonValueKind.Number } seconds && int.TryParse(seconds.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && TimeSpan.FromSeconds(number) <= StopSpec.Longest
            ? TimeSpan.FromSeconds(number)
            : null;

    private static void CheckImage(SourceText source, SourceValue container, string revision)
    {
        var image = container.Find("Image");
        if (image is not null && image.Kind != JsonValueKind.String)
        {
            source.Add(image, "It is not a text.", "Write the reference of an image, such as \"localhost:8080/shop:2f1c9e0\".");
        }
        else if (image is { Text.Length: > 0 })
        {
            if (image.Text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            {
                source.Add(image, "It contains a space or a control character.", "Write the reference of an image, such as \"localhost:8080/shop:2f1c9e0\".");
            }
        }
        else if (!TextRules.IsTag(revision))
        {
            source.Add(container, "It names no Image, and Revision, which would be the image's tag, is empty or no tag.", "Write Image, or a Revision of letters, digits, '_', '.' and '-'.");
        }
    }

    /// <summary>The values are secrets: no message contains any part of an entry.</summary>
    private static void CheckEnvironment(SourceText source, SourceValue? environment)
    {
        if (environment is null)
        {
            return;
        }

        if (environment.Kind != JsonValueKind.Array)
        {
            source.Add(environment, "It is not an array.", "Write an array of texts, each of the form NAME=value.");
        }

        foreach (var entry in environment.Items.Where(e => e.Kind != JsonValueKind.String || e.Text.IndexOf('=', StringComparison.Ordinal) < 1 || e.Text.Contains('\0', StringComparison.Ordinal)))
        {
            source.Add(entry, "It is not a text of the form NAME=value.", "Write the name, '=', and the value, which may be empty.");
        }
    }

    private static void CheckExposedPorts(SourceText source, SourceValue? ports)
    {
        if (ports is { Kind: not JsonValueKind.Object })
        {
            source.Add(ports, "It is not an object.", "Write an object such as { \"9292/tcp\": {} }.");
        }

        foreach (var port in ports?.Members ?? [])
        {
            if (!ExposedPort.IsValid(port.Name))
            {
                source.Add(port.Start, port.Value.Path, "The name is not a port.", "Write a number from 1 to 65535 and a protocol, such as \"9292/tcp\".");
            }

            if (port.Value.Kind is not (JsonValueKind.Object or JsonValueKind.Null))
            {
                source.Add(port.Value, "It is not an empty object.", "Write {}.");
            }
        }
    }

    /// <summary>Both become members of the same request, so these would replace the checked ones.</summary>
    private static void CheckStrangers(SourceText source, SourceValue container)
    {
        foreach (var member in container.Members.Where(m => EngineObject.SameName(m.Name, "HostConfig") || EngineObject.SameName(m.Name, "NetworkingConfig")))
        {
            source.Add(member.Start, member.Value.Path, "It does not belong into ContainerConfig.", "Write HostConfig beside ContainerConfig; the network is the Controller's matter.");
        }
    }
}
