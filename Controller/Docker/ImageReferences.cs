namespace Wunderproxy.Controller.Docker;

/// <summary>Facts about image references that need no engine.</summary>
internal static class ImageReferences
{
    /// <summary>Whether the reference may name another image tomorrow by convention: no digest, and no tag or <c>latest</c>.</summary>
    public static bool IsMutable(string reference)
    {
        if (reference.Contains('@', StringComparison.Ordinal))
            return false;
        var name = reference[(reference.LastIndexOf('/') + 1)..];
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || name[(colon + 1)..] == "latest";
    }
}
