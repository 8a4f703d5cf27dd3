using System.Globalization;

namespace Wunderproxy.Controller.Cli;

/// <summary>One setting of <c>run</c>, under the name that it has in each place where it can be set.</summary>
/// <param name="Name">Such as <c>state-dir</c>.</param>
/// <param name="ValueName">What its value is, for the help; empty for a switch that is on or off.</param>
/// <param name="Meaning">What it decides, for the help.</param>
/// <param name="Default">The value where nothing sets it; absent: none, or one that depends on others.</param>
internal sealed record Setting(string Name, string ValueName, string Meaning, string? Default = null)
{
    /// <summary>Name on the command line, such as <c>--state-dir</c>.</summary>
    public string Option => "--" + Name;

    /// <summary>Name in the environment, such as <c>WUNDERPROXY_STATE_DIR</c>.</summary>
    public string Variable => "WUNDERPROXY_" + Name.Replace('-', '_').ToUpperInvariant();

    /// <summary>A variable that others have agreed upon, heard where <see cref="Variable"/> isn't set.</summary>
    public string? StandardVariable { get; init; }

    /// <summary>Name in the settings file, such as <c>StateDir</c>.</summary>
    public string Key { get; } = string.Concat(Name.Split('-').Select(word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));

    public bool IsSwitch => ValueName.Length == 0;
}

/// <summary>What was set, and where, so that a message can name it.</summary>
/// <param name="Text">The value as it was written.</param>
/// <param name="Origin">Such as <c>--poll</c>, <c>WUNDERPROXY_POLL</c>, <c>Poll in /etc/wunderproxy.json</c>.</param>
internal sealed record SetValue(string Text, string Origin);

/// <summary>A value that can't be used.</summary>
/// <param name="problem">Continues the sentence "--poll 'x' …": what is wrong, and what to write instead.</param>
/// <param name="hidesValue">Whether the value may be secret and isn't shown.</param>
internal sealed class SettingException(string problem, bool hidesValue = false) : Exception(problem)
{
    public bool HidesValue { get; } = hidesValue;
}
