namespace Wunderproxy.IntegrationTests.Faults;

public sealed class ReportTests
{
    [Fact]
    public void Report_has_a_row_for_every_fault_that_is_played_and_no_other()
    {
        var rows = FaultReport.Read();

        Assert.Equal(
            FaultReport.Declared.SelectMany(group => group).Select(fault => $"{fault.Fault}: {fault.Expected}").Order(StringComparer.Ordinal),
            rows.Values.Select(row => $"{row.Fault}: {row.Expected}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Row_that_was_written_is_read_as_it_was()
    {
        var row = new FaultRow("disk full", "nothing is lost", "as expected", "1 200", "0", "0.4 s");

        Assert.Equal(row, FaultRow.Parse(row.ToString()));
    }
}
