using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Finds what can be wrong in a file of rules: each row and each guard that could be missing or turned round, and the like.</summary>
internal sealed class Mutations(SemanticModel model)
{
    private const int LongestCode = 140;

    private static readonly Dictionary<SyntaxKind, string> Boundaries = new()
    {
        [SyntaxKind.LessThanToken] = "<=",
        [SyntaxKind.LessThanEqualsToken] = "<",
        [SyntaxKind.GreaterThanToken] = ">=",
        [SyntaxKind.GreaterThanEqualsToken] = ">",
    };

    private static readonly Dictionary<string, string> Opposites = new(StringComparer.Ordinal)
    {
        ["Max"] = "Min",
        ["Min"] = "Max",
        ["MaxBy"] = "MinBy",
        ["MinBy"] = "MaxBy",
        ["OrderBy"] = "OrderByDescending",
        ["OrderByDescending"] = "OrderBy",
        ["TakeLast"] = "Take",
        ["TakeWhile"] = "SkipWhile",
        ["ThenBy"] = "ThenByDescending",
        ["ThenByDescending"] = "ThenBy",
    };

    /// <summary>The mutants of the file, in its order.</summary>
    public IEnumerable<Mutant> All() => model.SyntaxTree.GetRoot().DescendantNodes()
        .SelectMany(Of)
        .Select(MutantOf)
        .GroupBy(m => m.Key, StringComparer.Ordinal)
        .SelectMany(same => same.Select((m, i) => m with { Occurrence = i + 1 }))
        .OrderBy(m => m.Span.Start);

    private IEnumerable<Fault> Of(SyntaxNode node) => node switch
    {
        ExpressionElementSyntax element when IsRow(element) => [Without(node, SiblingsOf<CollectionElementSyntax>(element), element)],
        SubpatternSyntax subpattern => OfSubpattern(subpattern),
        BinaryPatternSyntax pattern => [Only(node, pattern.Left, pattern.Right), Only(node, pattern.Right, pattern.Left)],
        RelationalPatternSyntax pattern => OfBoundary(node, pattern.OperatorToken),
        SwitchExpressionArmSyntax { Pattern: not DiscardPatternSyntax } arm => [Without(node, SiblingsOf<SwitchExpressionArmSyntax>(arm), arm)],
        SwitchSectionSyntax section when !section.Labels.Any(SyntaxKind.DefaultSwitchLabel) => [new Fault(node, "dropped", node.Span, "")],
        ExpressionStatementSyntax { Expression: InvocationExpressionSyntax } => [new Fault(node, "dropped", node.Span, ";")],
        WithExpressionSyntax with => with.Initializer.Expressions.Select(e => Without(e, with.Initializer.Expressions, e)),
        ExpressionSyntax expression => OfCondition(expression).Concat(OfExpression(expression)),
        _ => [],
    };

    private IEnumerable<Fault> OfExpression(ExpressionSyntax expression) => expression switch
    {
        BinaryExpressionSyntax binary when binary.IsKind(SyntaxKind.CoalesceExpression) && !IsText(binary) => [Only(binary, binary.Left, binary.Right)],
        BinaryExpressionSyntax binary when Boundaries.ContainsKey(binary.OperatorToken.Kind()) => OfBoundary(binary, binary.OperatorToken),
        BinaryExpressionSyntax binary when binary.IsKind(SyntaxKind.AddExpression) && !IsText(binary) => [Turned(binary, binary.OperatorToken, "-")],
        BinaryExpressionSyntax binary when binary.IsKind(SyntaxKind.SubtractExpression) => [Turned(binary, binary.OperatorToken, "+")],
        LiteralExpressionSyntax { Token.Value: int value } literal when literal.Parent is not (BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression } or RangeExpressionSyntax or PrefixUnaryExpressionSyntax) => [new Fault(literal.Parent!, $"`{value}` is `{value + 1}`", literal.Span, $"{value + 1}")],
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name: IdentifierNameSyntax name } } call when Opposites.TryGetValue(name.Identifier.Text, out var other) =>
            [Turned(call, name.Identifier, other)],
        _ => [],
    };

    // The parts of a condition are taken one by one: whatever is between &&, || and !.
    private IEnumerable<Fault> OfCondition(ExpressionSyntax expression)
    {
        if (!IsCondition(expression))
            return [];
        return OutermostParentheses(expression).Parent is BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalAndExpression or (int)SyntaxKind.LogicalOrExpression } whole
            ? [Operand(whole, expression), new Fault(expression, "inverted", expression.Span, $"!({expression})")]
            : [new Fault(expression, "always", expression.Span, "true"), new Fault(expression, "never", expression.Span, "false")];
    }

    private static Fault Operand(BinaryExpressionSyntax whole, ExpressionSyntax dropped) =>
        new(dropped, "dropped", whole.Span, (whole.Left.Span.Contains(dropped.Span) ? whole.Right : whole.Left).ToString());

    private bool IsCondition(ExpressionSyntax expression) =>
        model.GetTypeInfo(expression).Type?.SpecialType == SpecialType.System_Boolean
        && expression is not (ParenthesizedExpressionSyntax or LiteralExpressionSyntax or AssignmentExpressionSyntax or ConditionalAccessExpressionSyntax or TypeSyntax { IsVar: true })
        && !expression.IsKind(SyntaxKind.LogicalAndExpression) && !expression.IsKind(SyntaxKind.LogicalOrExpression)
        && expression.Parent switch
        {
            MemberAccessExpressionSyntax or MemberBindingExpressionSyntax or ConditionalAccessExpressionSyntax or NameColonSyntax or SubpatternSyntax => false,
            BinaryExpressionSyntax { RawKind: (int)SyntaxKind.EqualsExpression or (int)SyntaxKind.NotEqualsExpression } => false,
            AssignmentExpressionSyntax assignment => assignment.Right == expression,
            PrefixUnaryExpressionSyntax => false,
            PredefinedTypeSyntax or ParameterSyntax or PropertyDeclarationSyntax or MethodDeclarationSyntax => false,
            _ => expression is not PredefinedTypeSyntax,
        };

    private static ExpressionSyntax OutermostParentheses(ExpressionSyntax expression) =>
        expression.Parent is ParenthesizedExpressionSyntax outer ? OutermostParentheses(outer) : expression;

    private static IEnumerable<Fault> OfSubpattern(SubpatternSyntax subpattern)
    {
        var siblings = ((PropertyPatternClauseSyntax)subpattern.Parent!).Subpatterns;
        yield return Without(WholePattern(subpattern), siblings, subpattern);
        yield return new Fault(WholePattern(subpattern), $"not `{OneLine(subpattern)}`", subpattern.Pattern.Span, $"not ({subpattern.Pattern})");
    }

    private static SyntaxNode WholePattern(SyntaxNode node) => node.AncestorsAndSelf().First(n => n is IsPatternExpressionSyntax or SwitchExpressionArmSyntax or SwitchLabelSyntax);

    private static IEnumerable<Fault> OfBoundary(SyntaxNode node, SyntaxToken token)
    {
        if (Boundaries.TryGetValue(token.Kind(), out var other))
            yield return Turned(node, token, other);
    }

    private static Fault Turned(SyntaxNode node, SyntaxToken token, string other) => new(node, $"`{token.Text}` is `{other}`", token.Span, other);

    private static Fault Only(SyntaxNode whole, SyntaxNode dropped, SyntaxNode kept) => new(whole, $"without `{OneLine(dropped)}`", whole.Span, kept.ToString());

    private static Fault Without<T>(SyntaxNode shown, SeparatedSyntaxList<T> siblings, T dropped)
        where T : SyntaxNode
    {
        var index = siblings.IndexOf(dropped);
        var span = index + 1 < siblings.Count ? TextSpan.FromBounds(dropped.SpanStart, siblings[index + 1].SpanStart)
            : index > 0 ? TextSpan.FromBounds(siblings[index - 1].Span.End, dropped.Span.End)
            : dropped.Span;
        return new Fault(shown, shown == dropped ? "dropped" : $"without `{OneLine(dropped)}`", span, "");
    }

    private static SeparatedSyntaxList<T> SiblingsOf<T>(T node)
        where T : SyntaxNode => node.Parent switch
        {
            CollectionExpressionSyntax collection => (SeparatedSyntaxList<T>)(object)collection.Elements,
            SwitchExpressionSyntax arms => (SeparatedSyntaxList<T>)(object)arms.Arms,
            _ => throw new ArgumentOutOfRangeException(nameof(node), node.Kind(), "Not in a list."),
        };

    private bool IsRow(ExpressionElementSyntax element) => model.GetTypeInfo(element.Expression).Type?.Name == "Row";

    private bool IsText(ExpressionSyntax expression) => model.GetTypeInfo(expression).Type?.SpecialType == SpecialType.System_String;

    private Mutant MutantOf(Fault fault)
    {
        var path = model.SyntaxTree.FilePath;
        return new Mutant(System.IO.Path.GetFileName(path), MemberOf(fault.Node), OneLine(fault.Node), fault.Change, 1, path, fault.Span, fault.Replacement);
    }

    private static string MemberOf(SyntaxNode node) => node.Ancestors().OfType<MemberDeclarationSyntax>().FirstOrDefault() switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        PropertyDeclarationSyntax property => property.Identifier.Text,
        FieldDeclarationSyntax field => field.Declaration.Variables[0].Identifier.Text,
        ConstructorDeclarationSyntax or null => "",
        BaseTypeDeclarationSyntax type => type.Identifier.Text,
        var other => other.Kind().ToString(),
    };

    private static string OneLine(SyntaxNode node)
    {
        var line = string.Join(' ', node.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= LongestCode ? line : $"{line[..LongestCode]}…";
    }

    /// <summary>A change of the text.</summary>
    /// <param name="Node">What is shown of it.</param>
    private sealed record Fault(SyntaxNode Node, string Change, TextSpan Span, string Replacement);
}
