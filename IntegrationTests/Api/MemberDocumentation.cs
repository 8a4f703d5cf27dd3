using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>The documentation comments of the contracts, as the compiler collects them beside the assembly.</summary>
internal static partial class MemberDocumentation
{
    private static readonly Dictionary<string, XElement> Members = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Wunderproxy.Contracts.xml"))
        .Descendants("member").ToDictionary(member => (string)member.Attribute("name")!, StringComparer.Ordinal);

    /// <summary>What a property means; <see langword="null"/> where nothing is said.</summary>
    public static string? Of(PropertyInfo property)
    {
        var type = property.DeclaringType!.FullName;
        var said = Members.GetValueOrDefault($"P:{type}.{property.Name}")?.Element("summary")
            ?? Members.GetValueOrDefault($"T:{type}")?.Elements("param").FirstOrDefault(parameter => (string?)parameter.Attribute("name") == property.Name);
        return said is null ? null : Blanks().Replace(string.Concat(said.Nodes().Select(TextOf)), " ").Trim();
    }

    private static string TextOf(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => ((string?)see.Attribute("cref") ?? (string?)see.Attribute("langword") ?? "").Split('.', ':')[^1],
        XElement element => string.Concat(element.Nodes().Select(TextOf)),
        _ => "",
    };

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blanks();
}
