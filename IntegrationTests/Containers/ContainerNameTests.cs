using Wunderproxy.Controller.Containers;

namespace Wunderproxy.IntegrationTests.Containers;

public sealed class ContainerNameTests
{
    private const string Hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void Name_tells_application_release_and_incarnation() => Assert.Equal("wunderproxy-shop-e3b0c44298fc-3", ContainerName.For("shop", Hash, 3));

    [Theory]
    [InlineData("shop")]
    [InlineData("a-very-long-name-of-an-application-that-nobody-would-want-to-type")]
    [InlineData("Läden/und mehr")]
    [InlineData("")]
    public void Name_is_one_that_the_engine_takes_and_that_fits_into_a_host_name(string application)
    {
        var name = ContainerName.For(application, Hash, int.MaxValue);
        Assert.All(name, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-', name));
        Assert.True(name.Length <= 63, name);
        Assert.Equal(name, ContainerName.For(application, Hash, int.MaxValue));
    }

    [Fact]
    public void Shortened_names_of_two_applications_stay_apart()
    {
        var common = new string('a', 60);
        Assert.NotEqual(ContainerName.For(common + "1", Hash, 1), ContainerName.For(common + "2", Hash, 1));
        Assert.NotEqual(ContainerName.For("a/b", Hash, 1), ContainerName.For("a_b", Hash, 1));
    }
}
