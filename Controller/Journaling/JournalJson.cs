using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Controller.Journaling;

/// <summary>JSON of the state file, source generated. Members that a newer version wrote are passed over; absent ones have their defaults.</summary>
/// <remarks>As in <see cref="Contracts.ContractsJson"/>, an init accessor puts the default of an absent member back.</remarks>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    Converters =
    [
        typeof(ValueListJsonConverter<Candidate>),
        typeof(ValueListJsonConverter<DrainingRelease>),
        typeof(ValueListJsonConverter<StoppingRun>),
        typeof(ValueListJsonConverter<Attempts>),
        typeof(ValueListJsonConverter<RejectedRelease>),
        typeof(ValueListJsonConverter<OwnedImage>),
        typeof(ValueListJsonConverter<string>),
        typeof(ValueListJsonConverter<Deployment>),
        typeof(ValueListJsonConverter<Contracts.Admin.PhaseEntry>),
    ])]
[JsonSerializable(typeof(Journal))]
[JsonSerializable(typeof(Candidate[]))]
[JsonSerializable(typeof(DrainingRelease[]))]
[JsonSerializable(typeof(StoppingRun[]))]
[JsonSerializable(typeof(Attempts[]))]
[JsonSerializable(typeof(RejectedRelease[]))]
[JsonSerializable(typeof(OwnedImage[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(Deployment[]))]
[JsonSerializable(typeof(Contracts.Admin.PhaseEntry[]))]
internal sealed partial class JournalJson : JsonSerializerContext;
