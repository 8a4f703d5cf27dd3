using Wunderproxy.Controller.Containers;

namespace Wunderproxy.IntegrationTests.Containers;

public sealed class ContainerLabelsTests
{
    private static readonly ContainerIdentity Identity = new()
    {
        Installation = "i-1",
        Application = "shop",
        Hash = "d41d8cd98f00b204e9800998ecf8427e",
        Revision = "2f1c9e0",
        Incarnation = 2,
        Port = 9292,
        Address = new AddressMode.Bridge("wunderproxy", "172.30.0.2"),
    };

    public static TheoryData<string> Modes => new(["wunderproxy/172.30.0.2", "published", "host"]);

    [Theory]
    [MemberData(nameof(Modes))]
    public void Labels_read_back_as_what_was_written(string address)
    {
        var identity = Identity with { Address = AddressMode.TryParse(address)! };
        var labels = ContainerLabels.For(identity);
        Assert.Equal(identity, ContainerLabels.Read(labels));
        Assert.Equal(address, labels[ContainerLabels.Address]);
    }

    [Fact]
    public void Application_finds_its_containers_by_labels_that_each_of_them_has() =>
        Assert.Subset(ContainerLabels.For(Identity).ToHashSet(), ContainerLabels.Of("i-1", "shop").ToHashSet());

    [Theory]
    [InlineData(ContainerLabels.Installation, "")]
    [InlineData(ContainerLabels.Application, null)]
    [InlineData(ContainerLabels.Hash, "../x")]
    [InlineData(ContainerLabels.Incarnation, "0")]
    [InlineData(ContainerLabels.Port, "http")]
    [InlineData(ContainerLabels.Address, "")]
    [InlineData(ContainerLabels.Address, "net/elsewhere")]
    public void Container_with_a_missing_or_unreadable_label_is_not_adopted(string name, string? value)
    {
        var labels = new Dictionary<string, string>(ContainerLabels.For(Identity));
        labels.Remove(name);
        if (value is not null)
        {
            labels[name] = value;
        }

        Assert.Null(ContainerLabels.Read(labels));
    }
}
