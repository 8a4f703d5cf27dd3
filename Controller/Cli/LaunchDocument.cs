using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Cli;

/// <summary>A launch configuration in a file that was named on the command line.</summary>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its content; the hash is over exactly these bytes.</param>
internal sealed record LaunchDocument(string Path, byte[] Bytes)
{
    public string Hash { get; } = ContentHash.Of(Bytes);

    /// <summary>Reads a file, or says on standard error why it can't be read.</summary>
    public static LaunchDocument? Read(string path, CommandContext context)
    {
        try
        {
            return new LaunchDocument(path, TextFile.Read(path, LaunchConfigurationReader.MaxBytes));
        }
        catch (SettingException e)
        {
            context.Error.WriteLine($"wunderproxy: FILE '{path}' {e.Message}");
            return null;
        }
    }

    /// <summary>Reads the configuration, or writes each error as <c>FILE:LINE:COLUMN: …</c> to standard error, as compilers do.</summary>
    public LaunchConfiguration? Check(CommandContext context)
    {
        var result = LaunchConfigurationReader.Read(Bytes);
        foreach (var error in result.Errors)
        {
            context.Error.WriteLine($"{Path}:{error.Line ?? 1}:{error.Column ?? 1}: {error.Path}: {error.Problem} {error.Fix}");
        }

        return result.Configuration;
    }
}
