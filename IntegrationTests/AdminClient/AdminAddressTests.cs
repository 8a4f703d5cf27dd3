using Wunderproxy.Controller.AdminClient;

namespace Wunderproxy.IntegrationTests.AdminClient;

public sealed class AdminAddressTests
{
    [Theory]
    [InlineData("web1", "http://web1:8001/")]
    [InlineData("web1:9001", "http://web1:9001/")]
    [InlineData("web1:80", "http://web1/")]
    [InlineData("127.0.0.1:8001", "http://127.0.0.1:8001/")]
    [InlineData("[2001:db8::1]", "http://[2001:db8::1]:8001/")]
    [InlineData("[2001:db8::1]:9001", "http://[2001:db8::1]:9001/")]
    [InlineData("http://web1:9001", "http://web1:9001/")]
    [InlineData("https://web1.example/", "https://web1.example/")]
    public void Host_with_or_without_port_or_scheme_is_an_address(string text, string url)
    {
        Assert.True(AdminAddress.TryParse(text, out var address, out _));

        Assert.Equal((text, new Uri(url), null), (address!.Name, address.Base, address.SocketPath));
    }

    [Theory]
    [InlineData("0.0.0.0:8001", "http://127.0.0.1:8001/")]
    [InlineData(":8002", "http://127.0.0.1:8002/")]
    [InlineData("[::]:8001", "http://[::1]:8001/")]
    public void Address_to_listen_on_stands_for_this_host(string text, string url)
    {
        Assert.True(AdminAddress.TryParse(text, out var address, out _));

        Assert.Equal(new Uri(url), address!.Base);
    }

    [Fact]
    public void Unix_socket_is_an_address()
    {
        Assert.True(AdminAddress.TryParse("unix:/run/shop.sock", out var address, out _));

        Assert.Equal("/run/shop.sock", address!.SocketPath);
    }

    [Theory]
    [InlineData("ftp://web1")]
    [InlineData("http://user:secret@web1")]
    [InlineData("http://web1/status")]
    [InlineData("web 1")]
    [InlineData("unix:run/shop.sock")]
    [InlineData("web1:99999")]
    public void What_is_no_address_is_answered_with_what_to_write(string text)
    {
        Assert.False(AdminAddress.TryParse(text, out var address, out var problem));

        Assert.Null(address);
        Assert.Contains("Write", problem, StringComparison.Ordinal);
    }
}
