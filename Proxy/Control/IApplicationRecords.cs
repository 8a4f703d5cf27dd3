namespace Wunderproxy.Proxy.Control;

/// <summary>What the Proxy keeps of each application, so that it serves on after a restart.</summary>
internal interface IApplicationRecords
{
    /// <summary>Reads what was written before.</summary>
    IReadOnlyList<ApplicationRecord> Load();

    /// <summary>Writes a record. When this returns, it is on the disk.</summary>
    /// <exception cref="IOException">It may not be; the former record still counts.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written; the former record still counts.</exception>
    void Write(ApplicationRecord record);

    /// <summary>Removes the record of an application.</summary>
    /// <exception cref="IOException">It may still be there after a restart.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written; the record is still there.</exception>
    void Remove(string application);
}
