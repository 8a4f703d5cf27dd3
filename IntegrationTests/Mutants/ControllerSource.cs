using System.Reflection;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>The Controller as the build compiles it: the same sources, generated ones included, and the same options but for warnings.</summary>
internal sealed class ControllerSource
{
    private readonly CSharpCompilation _compilation;

    private ControllerSource(CSharpCompilation compilation) => _compilation = compilation;

    /// <summary>Reads what the build would give to the compiler.</summary>
    /// <param name="arguments">File with the items <c>CscCommandLineArgs</c> as MSBuild prints them.</param>
    /// <param name="folder">Folder of the project.</param>
    public static async Task<ControllerSource> ReadAsync(string arguments, string folder)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(arguments));
        var lines = json.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!);
        var command = CSharpCommandLineParser.Default.Parse(lines, folder, sdkDirectory: null);
        var parsing = command.ParseOptions.WithFeatures([.. command.ParseOptions.Features, new("run-nullable-analysis", "never")]);
        var trees = command.SourceFiles.Select(file => SyntaxFactory.ParseSyntaxTree(SourceText.From(File.ReadAllText(file.Path), command.Encoding), parsing, file.Path));
        var references = command.MetadataReferences.Select(r => MetadataReference.CreateFromFile(r.Reference, r.Properties));
        var options = command.CompilationOptions.WithGeneralDiagnosticOption(ReportDiagnostic.Suppress);
        return new ControllerSource(WithGenerated(CSharpCompilation.Create(Path.GetFileNameWithoutExtension(command.OutputFileName), trees, references, options), command.AnalyzerReferences, parsing));
    }

    /// <summary>The mutants of all files in a folder.</summary>
    public IEnumerable<Mutant> MutantsIn(string folder) => _compilation.SyntaxTrees
        .Where(tree => Path.GetFileName(Path.GetDirectoryName(tree.FilePath)) == folder)
        .OrderBy(tree => tree.FilePath, StringComparer.Ordinal)
        .SelectMany(tree => new Mutations(_compilation.GetSemanticModel(tree)).All());

    /// <summary>Compiles the Controller with a mutant in it.</summary>
    /// <param name="mutant">Absent: as it is.</param>
    /// <param name="assembly">File to write.</param>
    /// <returns>The first error; absent: it compiled.</returns>
    public string? Compile(Mutant? mutant, string assembly)
    {
        var compilation = mutant is null ? _compilation : With(mutant);
        File.Delete(assembly);
        using var file = File.Create(assembly);
        var result = compilation.Emit(file);
        return result.Success ? null : result.Diagnostics.First(d => d.Severity == DiagnosticSeverity.Error).Id;
    }

    private CSharpCompilation With(Mutant mutant)
    {
        var tree = _compilation.SyntaxTrees.First(t => t.FilePath == mutant.Path);
        return _compilation.ReplaceSyntaxTree(tree, tree.WithChangedText(tree.GetText().WithChanges(new TextChange(mutant.Span, mutant.Replacement))));
    }

    private static CSharpCompilation WithGenerated(CSharpCompilation compilation, IEnumerable<CommandLineAnalyzerReference> analyzers, CSharpParseOptions parsing)
    {
        var generators = analyzers.SelectMany(r => new AnalyzerFileReference(r.FilePath, new Loader()).GetGenerators(LanguageNames.CSharp));
        var driver = CSharpGeneratorDriver.Create(generators, parseOptions: parsing);
        driver.RunGeneratorsAndUpdateCompilation(compilation, out var whole, out _);
        return (CSharpCompilation)whole;
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public Assembly LoadFromPath(string fullPath) => Assembly.LoadFrom(fullPath);
    }
}
