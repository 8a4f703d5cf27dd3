namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>How the S3 server can misbehave; the names are those of <c>lab.sh s3 fault</c>.</summary>
public enum S3Fault
{
    /// <summary>Connections are taken, nothing is answered.</summary>
    Hang,

    /// <summary>Nothing is answered, and writes land later, when the client has given up.</summary>
    Stall,

    /// <summary>Answers take a second and more.</summary>
    Slow,

    /// <summary>403: the user is suspended.</summary>
    Suspend,

    /// <summary>Writes: 403, quota exceeded.</summary>
    Quota,

    /// <summary>503 SlowDown for all but one request at a time.</summary>
    SlowDown,

    /// <summary>Writes: 500; reads as before.</summary>
    Put500,
}
