using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Writes an interim answer as the client gets it.</summary>
internal static class InterimHead
{
    /// <summary>The bytes of the whole answer.</summary>
    public static byte[] Write(AnswerHead head)
    {
        using var writer = new HeadWriter();
        writer.Write("HTTP/1.1 "u8);
        writer.Write(head.Status.ToString(CultureInfo.InvariantCulture));
        writer.Write(" "u8);
        writer.Write(head.Reason ?? ReasonPhrases.GetReasonPhrase(head.Status));
        writer.Write("\r\n"u8);
        foreach (ref readonly var field in head.Fields)
        {
            if (field.Kind is AnswerHead.FieldKind.Plain or AnswerHead.FieldKind.Type)
            {
                writer.WriteField(field.Name, field.Value);
            }
        }

        writer.Write("\r\n"u8);
        return writer.Written.ToArray();
    }
}
