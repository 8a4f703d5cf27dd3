using System.Globalization;
using System.Text;
using Wunderproxy.Contracts;

namespace Wunderproxy.Controller.Containers;

/// <summary>Names of our containers. The same container always has the same name, so that one whose creation was answered to nobody is found again.</summary>
internal static class ContainerName
{
    private const int Longest = 63;
    private const int DigestLength = 12;

    /// <summary>Such as <c>wunderproxy-shop-0123456789ab-1</c>.</summary>
    /// <param name="application">Name of the application. One that the engine can't take, or that is too long, is shortened and told apart by its digest.</param>
    /// <param name="hash">Hash of the launch configuration.</param>
    /// <param name="incarnation">From 1.</param>
    /// <returns>At most 63 characters, as host names need them.</returns>
    public static string For(string application, string hash, int incarnation)
    {
        var end = string.Create(CultureInfo.InvariantCulture, $"-{hash[..DigestLength]}-{incarnation}");
        return "wunderproxy-" + Fitting(application, Longest - "wunderproxy-".Length - end.Length) + end;
    }

    private static string Fitting(string application, int length)
    {
        var valid = string.Concat(application.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '_'));
        if (valid == application && valid.Length <= length)
        {
            return valid;
        }

        var digest = "-" + ContentHash.Of(Encoding.UTF8.GetBytes(application))[..DigestLength];
        return valid[..Math.Min(valid.Length, length - digest.Length)] + digest;
    }
}
