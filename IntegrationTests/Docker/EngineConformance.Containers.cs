using System.Text.Json.Nodes;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public abstract partial class EngineConformance
{
    private protected const string Sleeping = "trap 'exit 0' TERM; while true; do sleep 0.05; done";
    private protected const string Deaf = "trap '' TERM; while true; do sleep 0.05; done";

    [Fact]
    public async Task Engine_tells_its_version_and_the_version_that_is_spoken()
    {
        var info = await Engine.GetInfoAsync(Token);

        Assert.NotEmpty(info.Version);
        Assert.True(Version.Parse(info.ApiVersion) >= new Version(1, 41));
        Assert.NotEmpty(info.Driver);
    }

    [Fact]
    public async Task Created_container_is_found_by_id_by_name_and_by_its_labels()
    {
        var id = await Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping), Token);

        var byId = await LookAsync(id);
        Assert.Equal(NameOf("a"), byId.Name);
        Assert.Equal(ContainerStatus.Created, byId.Status);
        Assert.Equal(Run, byId.Labels[RunLabel]);
        Assert.Null(byId.StartedAt);
        Assert.Null(byId.ExitCode);
        Assert.Equal("no", byId.RestartPolicy);
        Assert.Equal((await Engine.InspectImageAsync(BaseImage, Token))!.Id, byId.ImageId);
        Assert.Equal(id, (await Engine.InspectContainerAsync(NameOf("a"), Token))!.Id);
        Assert.Equal(id, Assert.Single(await Engine.ListContainersAsync(Ours, Token)).Id);
    }

    [Fact]
    public async Task Absent_container_is_null() =>
        Assert.Null(await Engine.InspectContainerAsync(NameOf("nobody"), Token));

    [Fact]
    public async Task Listing_never_returns_a_container_without_all_the_labels()
    {
        var body = Body(Sleeping);
        body["Labels"]!["role"] = "web";
        var both = await Engine.CreateContainerAsync(NameOf("both"), body, Token);
        await Engine.CreateContainerAsync(NameOf("one"), Body(Sleeping), Token);

        var asked = new Dictionary<string, string>(Ours) { ["role"] = "web" };
        Assert.Equal(both, Assert.Single(await Engine.ListContainersAsync(asked, Token)).Id);
        Assert.Empty(await Engine.ListContainersAsync(new Dictionary<string, string> { [RunLabel] = "another" }, Token));
    }

    [Fact]
    public async Task Labels_are_listed_of_each_container_that_carries_all_those_asked_for()
    {
        var body = Body(Sleeping);
        body["Labels"]!["role"] = "web";
        body["Labels"]!["place"] = "here";
        await Engine.CreateContainerAsync(NameOf("both"), body, Token);
        await Engine.CreateContainerAsync(NameOf("one"), Body(Sleeping), Token);

        var labels = Assert.Single(await Engine.ListLabelsAsync(new Dictionary<string, string>(Ours) { ["role"] = "" }, Token));

        Assert.Equal("here", labels["place"]);
    }

    [Fact]
    public async Task Label_without_value_lists_the_containers_with_any_value_of_it()
    {
        var id = await Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping), Token);
        var anyOfOurs = new Dictionary<string, string>(Ours) { [RunLabel] = "" };

        Assert.Contains(id, (await Engine.ListContainersAsync(anyOfOurs, Token)).Select(c => c.Id));
        Assert.Empty(await Engine.ListContainersAsync(new Dictionary<string, string>(Ours) { ["wunderproxy.test.nobody"] = "" }, Token));
    }

    [Fact]
    public async Task Second_container_of_a_name_is_a_conflict()
    {
        await Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping), Token);
        await FailsAsync(EngineFault.Conflict, () => Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping), Token));
    }

    [Fact]
    public async Task Container_of_an_absent_image_is_not_created()
    {
        var body = Body(Sleeping);
        body["Image"] = "wp-test/absent:1";
        await FailsAsync(EngineFault.NotFound, () => Engine.CreateContainerAsync(NameOf("a"), body, Token));
    }

    [Fact]
    public async Task Option_of_a_wrong_type_is_a_bad_request()
    {
        await FailsAsync(EngineFault.BadRequest, () => Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping, new JsonObject { ["Memory"] = "much" }), Token));
        Assert.Null(await Engine.InspectContainerAsync(NameOf("a"), Token));
    }

    [Fact]
    public async Task Option_that_nobody_knows_yet_is_handed_over() =>
        Assert.NotEmpty(await Engine.CreateContainerAsync(NameOf("a"), Body(Sleeping, new JsonObject { ["OptionOfTheYear2031"] = new JsonArray(1, 2) }), Token));

    [Fact]
    public async Task Running_container_tells_start_process_and_address_and_a_second_start_is_fine()
    {
        var id = await StartedAsync("a", Sleeping);
        await Engine.StartContainerAsync(id, Token);

        var running = await LookAsync(id);
        Assert.Equal(ContainerStatus.Running, running.Status);
        Assert.NotNull(running.StartedAt);
        Assert.True(running.Pid > 0);
        Assert.Null(running.ExitCode);
        Assert.NotEmpty(Assert.Single(running.Addresses).Value);
    }

    [Fact]
    public async Task Published_port_on_loopback_is_told()
    {
        var port = FreePort();
        var id = await StartedAsync("a", Sleeping, Publish(port));
        Assert.Equal(port, (await LookAsync(id)).PublishedPorts["9292/tcp"]);
    }

    [Fact]
    public async Task Taken_host_port_is_told_as_such_and_leaves_the_container_created()
    {
        var port = FreePort();
        await StartedAsync("a", Sleeping, Publish(port));
        var second = await Engine.CreateContainerAsync(NameOf("b"), Body(Sleeping, Publish(port)), Token);

        await FailsAsync(EngineFault.PortTaken, () => Engine.StartContainerAsync(second, Token));
        Assert.Equal(ContainerStatus.Created, (await LookAsync(second)).Status);
    }

    [Fact]
    public async Task Command_that_does_not_exist_is_a_bad_request_at_start()
    {
        var body = Body(Sleeping);
        body["Cmd"] = new JsonArray("/bin/nonsense");
        var id = await Engine.CreateContainerAsync(NameOf("a"), body, Token);

        await FailsAsync(EngineFault.BadRequest, () => Engine.StartContainerAsync(id, Token));
        var failed = await LookAsync(id);
        Assert.Equal(ContainerStatus.Created, failed.Status);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("nonsense", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_of_an_absent_container_is_not_found() =>
        await FailsAsync(EngineFault.NotFound, () => Engine.StartContainerAsync(NameOf("nobody"), Token));

    [Fact]
    public async Task Exit_code_and_end_of_a_container_are_told()
    {
        var id = await StartedAsync("a", "sleep 0.2; exit 3");
        var ended = await WaitForEndAsync(id);

        Assert.Equal(ContainerStatus.Exited, ended.Status);
        Assert.Equal(3, ended.ExitCode);
        Assert.True(ended.FinishedAt >= ended.CreatedAt);
        Assert.False(ended.OomKilled);
        Assert.Empty(ended.Addresses);
        Assert.Null(ended.Pid);
    }

    [Fact]
    public async Task Container_that_took_too_much_memory_is_told_as_such()
    {
        var limit = new JsonObject { ["Memory"] = 16 * 1024 * 1024, ["MemorySwap"] = 16 * 1024 * 1024 };
        var id = await StartedAsync("a", "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done", limit);

        var ended = await WaitForEndAsync(id);
        Assert.True(ended.OomKilled);
        Assert.Equal(137, ended.ExitCode);
    }

    [Fact]
    public async Task Stop_lets_a_container_end_by_itself_and_may_be_repeated()
    {
        var id = await StartedAsync("a", Sleeping);

        await Engine.StopContainerAsync(id, TimeSpan.FromSeconds(10), Token);
        await Engine.StopContainerAsync(id, TimeSpan.FromSeconds(10), Token);
        await Engine.StopContainerAsync(NameOf("nobody"), TimeSpan.FromSeconds(10), Token);

        Assert.Equal(0, (await LookAsync(id)).ExitCode);
    }

    [Fact]
    public async Task Stop_kills_a_container_that_is_deaf_once_the_grace_is_over()
    {
        var id = await StartedAsync("a", Deaf);
        await Engine.StopContainerAsync(id, TimeSpan.FromMilliseconds(300), Token);

        var ended = await LookAsync(id);
        Assert.Equal(ContainerStatus.Exited, ended.Status);
        Assert.Equal(137, ended.ExitCode);
    }

    [Fact]
    public async Task Kill_sends_the_signal_and_does_not_mind_a_container_that_is_stopped_or_absent()
    {
        var id = await StartedAsync("a", "trap 'exit 42' USR1; while true; do sleep 0.05; done");
        await Engine.KillContainerAsync(id, "SIGKILL", Token);
        Assert.Equal(137, (await WaitForEndAsync(id)).ExitCode);

        await Engine.KillContainerAsync(id, "SIGKILL", Token);
        await Engine.KillContainerAsync(NameOf("nobody"), "SIGKILL", Token);
    }

    [Fact]
    public async Task Restart_policy_of_a_running_container_is_set_to_no()
    {
        var limits = new JsonObject { ["RestartPolicy"] = new JsonObject { ["Name"] = "always" }, ["Memory"] = 64 * 1024 * 1024 };
        var id = await StartedAsync("a", Sleeping, limits);
        Assert.Equal("always", (await LookAsync(id)).RestartPolicy);

        await Engine.DisableRestartPolicyAsync(id, Token);

        Assert.Equal("no", (await LookAsync(id)).RestartPolicy);
        Assert.Equal(ContainerStatus.Running, (await LookAsync(id)).Status);
    }

    [Fact]
    public async Task Running_container_is_not_removed_but_a_stopped_one_is()
    {
        var id = await StartedAsync("a", Sleeping);
        await FailsAsync(EngineFault.Conflict, () => Engine.RemoveContainerAsync(id, Token));
        Assert.Equal(ContainerStatus.Running, (await LookAsync(id)).Status);

        await Engine.StopContainerAsync(id, TimeSpan.FromSeconds(5), Token);
        await Engine.RemoveContainerAsync(id, Token);
        await Engine.RemoveContainerAsync(id, Token);

        Assert.Null(await Engine.InspectContainerAsync(id, Token));
    }

    [Fact]
    public async Task Last_lines_of_both_streams_are_read_in_order()
    {
        var id = await StartedAsync("a", "echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; sleep 0.1; printf four");
        await WaitForEndAsync(id);

        Assert.Equal(["two", "three", "four"], await Engine.GetLogTailAsync(id, 3, Token));
    }

    [Fact]
    public async Task Log_of_a_container_that_printed_nothing_is_empty()
    {
        var id = await StartedAsync("a", "exit 0");
        await WaitForEndAsync(id);
        Assert.Empty(await Engine.GetLogTailAsync(id, 10, Token));
    }

    private static JsonObject Publish(int port) => new()
    {
        ["PortBindings"] = new JsonObject { ["9292/tcp"] = new JsonArray(new JsonObject { ["HostIp"] = "127.0.0.1", ["HostPort"] = $"{port}" }) },
    };
}
