using Microsoft.CodeAnalysis.Text;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>One small fault that is put into the code.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Member">The member that it is in.</param>
/// <param name="Code">The code that it changes, on one line.</param>
/// <param name="Change">What becomes of it, in words.</param>
/// <param name="Occurrence">Tells apart the same change of the same code in one member, from 1.</param>
/// <param name="Path">The whole path of the file.</param>
/// <param name="Span">What is replaced in it.</param>
/// <param name="Replacement">By what.</param>
internal sealed record Mutant(string File, string Member, string Code, string Change, int Occurrence, string Path, TextSpan Span, string Replacement)
{
    /// <summary>Stays the same while code elsewhere changes.</summary>
    public string Key => $"{File} {Member}: {Code}: {Change} {Occurrence}";
}
