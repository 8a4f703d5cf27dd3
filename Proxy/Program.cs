Console.WriteLine("wunderproxy-proxy");
