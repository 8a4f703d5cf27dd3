using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>What tells, without reading it, that a client has no more to say.</summary>
public class TlsRecordTests
{
    [Theory]
    [InlineData(new byte[0], true)]
    [InlineData(new byte[] { 21, 3, 3, 0, 2, 1, 0 }, true)]
    [InlineData(new byte[] { 21, 3, 3, 0, 4, 1, 2, 3, 4 }, true)]
    [InlineData(new byte[] { 23, 3, 3, 0, 19, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 }, true)]
    [InlineData(new byte[] { 23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 }, false)]
    [InlineData(new byte[] { 21, 3, 3, 0, 2, 1, 0, 23 }, false)]
    [InlineData(new byte[] { 21, 3, 3, 0, 2, 1 }, false)]
    [InlineData(new byte[] { 22, 3, 1, 0, 1, 1 }, false)]
    [InlineData(new byte[] { 21, 3 }, false)]
    public void Nothing_or_a_single_alert_is_the_end(byte[] unread, bool isEnd) => Assert.Equal(isEnd, TlsRecord.IsEnd(unread));
}
