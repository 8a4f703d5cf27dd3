namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The tests that share the lab. They run alone and one after the other: any of them may cut its power.</summary>
[CollectionDefinition("Lab", DisableParallelization = true)]
public sealed class SharedLab : ICollectionFixture<LabHost>;
