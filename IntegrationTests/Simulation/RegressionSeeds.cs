namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>Seeds that found a fault, with what it was.</summary>
public static class RegressionSeeds
{
    public static TheoryData<int, string> All => new()
    {
        { 0, "A new container got the address of one that was down: requests for the former reached the latter before it was ready." },
        { 8, "A deployment had no end by its deadline while the engine hung." },
        { 57, "A launch had no end by its deadline while the engine was away." },
        { 94, "An image that was removed since it had been brought here was taken for present: a release that was wanted again was never created." },
        { 1063, "After the clock had been set back by an hour, the next start of the Controller took an hour off all deadlines again: a switch was given up at once." },
        { 1219, "A stop without a known end came after its container had been started again, and hit it while it had the traffic." },
        { 909, "The status said that nothing was left to do when an effect had just ended and the plan hadn't looked since." },
        { 506, "A caller that hung up while it was refused was reported as an error of the call." },
        { 1298, "A container that was being created wasn't counted: the next one was the fifth." },
        { 56, "A document that replaced garbage, and was the one from before a switch, didn't lift the pin." },
        { 1999, "The clock was set back by seconds right after a start: a release that had been decided long before was refused at once." },
    };
}
